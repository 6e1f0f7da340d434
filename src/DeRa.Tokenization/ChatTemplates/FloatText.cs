using System.Globalization;
using System.Numerics;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Decimal forms of doubles, exact where a number of digits is asked for (ties to even on the exact binary value).</summary>
internal static class FloatText
{
    /// <summary>Python's <c>repr</c>: the shortest digits that read back equal, with an exponent below 1e-4 and from 1e16.</summary>
    public static string Repr(double value)
    {
        if (NonFinite(value) is string name)
            return name;
        if (value == 0)
            return double.IsNegative(value) ? "-0.0" : "0.0";
        // "E16" would give 17 digits; "R" gives the shortest ones, in either of two notations.
        string shortest = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        int mark = shortest.IndexOf('E', StringComparison.Ordinal);
        int exponent = mark < 0 ? 0 : int.Parse(shortest.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string mantissa = mark < 0 ? shortest : shortest[..mark];
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        int integralDigits = point < 0 ? mantissa.Length : point;
        string digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        string significant = digits.TrimStart('0');
        int leadingZeros = digits.Length - significant.Length;
        // The value is 0.d1d2d3… × 10^scale.
        int scale = integralDigits - leadingZeros + exponent;
        significant = significant.TrimEnd('0');
        string sign = value < 0 ? "-" : "";
        if (scale is > -4 and <= 16)
            return sign + Positional(significant, scale);
        return sign + Scientific(significant, scale - 1);
    }

    public static string? NonFinite(double value) => value switch
    {
        double.NaN => "nan",
        double.PositiveInfinity => "inf",
        double.NegativeInfinity => "-inf",
        _ => null,
    };

    /// <summary><c>%.{precision}f</c>.</summary>
    public static string Fixed(double value, int precision)
    {
        if (NonFinite(value) is string name)
            return name;
        string digits = Scaled(Math.Abs(value), precision).ToString(CultureInfo.InvariantCulture).PadLeft(precision + 1, '0');
        string sign = double.IsNegative(value) ? "-" : "";
        return precision == 0 ? sign + digits : $"{sign}{digits[..^precision]}.{digits[^precision..]}";
    }

    /// <summary><c>%.{precision}e</c>.</summary>
    public static string Exponential(double value, int precision)
    {
        if (NonFinite(value) is string name)
            return name;
        (string digits, int exponent) = Significant(Math.Abs(value), precision + 1);
        string sign = double.IsNegative(value) ? "-" : "";
        string mantissa = precision == 0 ? digits : $"{digits[..1]}.{digits[1..]}";
        return sign + mantissa + ExponentText(exponent);
    }

    /// <summary><c>%.{precision}g</c>.</summary>
    public static string General(double value, int precision)
    {
        if (NonFinite(value) is string name)
            return name;
        int count = Math.Max(1, precision);
        (string digits, int exponent) = Significant(Math.Abs(value), count);
        string significant = digits.TrimEnd('0');
        if (significant.Length == 0)
            significant = "0";
        string sign = double.IsNegative(value) ? "-" : "";
        if (exponent < -4 || exponent >= count)
            return sign + (significant.Length == 1 ? significant : $"{significant[..1]}.{significant[1..]}") + ExponentText(exponent);
        string text = Positional(significant, exponent + 1);
        return sign + (text.EndsWith(".0", StringComparison.Ordinal) ? text[..^2] : text);
    }

    /// <summary><c>round(value, digits)</c>; negative digits round before the point.</summary>
    public static double Round(double value, int digits)
    {
        // A double has at most 1074 binary places and 309 digits before the point.
        if (value == 0 || !double.IsFinite(value) || digits > 330)
            return value;
        if (digits < -310)
            return value < 0 ? -0.0 : 0.0;
        BigInteger scaled = Scaled(Math.Abs(value), digits);
        double rounded = double.Parse($"{scaled.ToString(CultureInfo.InvariantCulture)}E{(-digits).ToString(CultureInfo.InvariantCulture)}", CultureInfo.InvariantCulture);
        return value < 0 ? -rounded : rounded;
    }

    private static string Positional(string digits, int scale)
    {
        if (scale <= 0)
            return $"0.{new string('0', -scale)}{digits}";
        if (scale >= digits.Length)
            return $"{digits.PadRight(scale, '0')}.0";
        return $"{digits[..scale]}.{digits[scale..]}";
    }

    private static string Scientific(string digits, int exponent) =>
        (digits.Length == 1 ? digits : $"{digits[..1]}.{digits[1..]}") + ExponentText(exponent);

    private static string ExponentText(int exponent) =>
        string.Create(CultureInfo.InvariantCulture, $"e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");

    /// <summary>The first digits of a value, rounded, and the exponent of the first one.</summary>
    private static (string Digits, int Exponent) Significant(double value, int count)
    {
        if (value == 0)
            return (new string('0', count), 0);
        int exponent = (int)Math.Floor(Math.Log10(value));
        string digits = Scaled(value, count - 1 - exponent).ToString(CultureInfo.InvariantCulture);
        // The estimate may be off by one near a power of ten, and rounding may carry into a new digit.
        while (digits.Length != count)
        {
            exponent += digits.Length > count ? 1 : -1;
            digits = Scaled(value, count - 1 - exponent).ToString(CultureInfo.InvariantCulture);
        }
        return (digits, exponent);
    }

    /// <summary>value × 10^places rounded to an integer, ties to even, computed exactly.</summary>
    private static BigInteger Scaled(double value, int places)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        int biased = (int)((bits >> 52) & 0x7FF);
        BigInteger numerator = (bits & 0xFFFFFFFFFFFFF) | (biased == 0 ? 0 : 1L << 52);
        int shift = Math.Max(biased, 1) - 1075;
        BigInteger denominator = BigInteger.One;
        if (shift >= 0)
            numerator <<= shift;
        else
            denominator <<= -shift;
        if (places >= 0)
            numerator *= BigInteger.Pow(10, places);
        else
            denominator *= BigInteger.Pow(10, -places);
        BigInteger quotient = BigInteger.DivRem(numerator, denominator, out BigInteger remainder);
        int half = (remainder * 2).CompareTo(denominator);
        return half > 0 || (half == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }
}

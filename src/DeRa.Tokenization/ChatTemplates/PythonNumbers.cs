using System.Globalization;
using System.Numerics;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Python's number rules: bool is an int, int and float compare by exact value, and numbers read from text.</summary>
internal static class PythonNumbers
{
    public static bool IsNumber(Value value) => value is IntValue or FloatValue or BoolValue;

    public static bool TryGetInt(Value value, out BigInteger number)
    {
        switch (value)
        {
            case IntValue integer:
                number = integer.Value;
                return true;
            case BoolValue boolean:
                number = boolean.Value ? BigInteger.One : BigInteger.Zero;
                return true;
            default:
                number = default;
                return false;
        }
    }

    public static bool TryGetDouble(Value value, out double number)
    {
        if (value is FloatValue real)
        {
            number = real.Value;
            return true;
        }
        bool isInt = TryGetInt(value, out BigInteger integer);
        number = (double)integer;
        return isInt;
    }

    /// <summary>Orders two numbers by exact value; false where either is no number, or NaN.</summary>
    public static bool TryCompare(Value left, Value right, out int order)
    {
        order = 0;
        bool leftIsInt = TryGetInt(left, out BigInteger leftInt);
        bool rightIsInt = TryGetInt(right, out BigInteger rightInt);
        if (leftIsInt && rightIsInt)
        {
            order = leftInt.CompareTo(rightInt);
            return true;
        }
        if (!TryGetDouble(left, out double leftReal) || !TryGetDouble(right, out double rightReal) || double.IsNaN(leftReal) || double.IsNaN(rightReal))
            return false;
        if (leftIsInt && double.IsFinite(rightReal))
            order = CompareExactly(leftInt, rightReal);
        else if (rightIsInt && double.IsFinite(leftReal))
            order = -CompareExactly(rightInt, leftReal);
        else
            order = leftReal.CompareTo(rightReal);
        return true;
    }

    private static int CompareExactly(BigInteger integer, double real)
    {
        double floor = Math.Floor(real);
        int order = integer.CompareTo(new BigInteger(floor));
        return order == 0 && real > floor ? -1 : order;
    }

    /// <summary><c>int(text, numberBase)</c>: white space around, a sign, underscores between digits, a prefix that fits the base.</summary>
    public static bool TryParseInt(RenderContext context, string text, int numberBase, out BigInteger number)
    {
        number = BigInteger.Zero;
        string digits = PythonText.Trim(text);
        bool negative = digits.StartsWith('-');
        if (negative || digits.StartsWith('+'))
            digits = digits[1..];
        if (digits.Length > 1 && digits[0] == '0')
        {
            int prefixBase = char.ToLowerInvariant(digits[1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 };
            if (prefixBase != 0 && (numberBase == 0 || numberBase == prefixBase))
            {
                numberBase = prefixBase;
                digits = digits[2..].TrimStart('_');
            }
        }
        if (numberBase == 0)
            numberBase = 10;
        if (digits.Length == 0 || digits[0] == '_' || digits[^1] == '_' || digits.Contains("__", StringComparison.Ordinal))
            return false;
        context.Work(digits.Length);
        foreach (char c in digits)
        {
            if (c == '_')
                continue;
            int digit = char.IsAsciiLetter(c) ? char.ToLowerInvariant(c) - 'a' + 10 : (int)char.GetNumericValue(c);
            if (digit < 0 || digit >= numberBase || (!char.IsAsciiLetter(c) && !char.IsDigit(c)))
                return false;
            number = context.NewInt((number * numberBase) + digit).Value;
        }
        if (negative)
            number = -number;
        return true;
    }

    /// <summary><c>float(text)</c>.</summary>
    public static bool TryParseFloat(string text, out double number)
    {
        string digits = PythonText.Trim(text);
        string unsigned = digits.TrimStart('+', '-').ToLowerInvariant();
        bool negative = digits.StartsWith('-');
        number = unsigned switch
        {
            "inf" or "infinity" => negative ? double.NegativeInfinity : double.PositiveInfinity,
            _ => double.NaN,
        };
        if (digits.Length - unsigned.Length > 1)
            return false;
        if (unsigned is "inf" or "infinity" or "nan")
            return true;
        if (digits.Contains("__", StringComparison.Ordinal) || digits.StartsWith('_') || digits.EndsWith('_'))
            return false;
        const NumberStyles style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(digits.Replace("_", "", StringComparison.Ordinal), style, CultureInfo.InvariantCulture, out number);
    }
}

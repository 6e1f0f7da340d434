using System.Globalization;
using System.Numerics;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Python's format specification, <c>[[fill]align][sign][#][0][width][,][.precision][type]</c>, applied to one value.</summary>
internal readonly record struct FormatSpec(string Fill, char Align, char Sign, bool Alternate, int Width, char Grouping, int Precision, char Type)
{
    /// <summary>Digits after the point that a double can fill; more would only add zeros.</summary>
    public const int MaxPrecision = 1100;

    public static FormatSpec Parse(RenderContext context, string text)
    {
        int at = 0;
        string fill = " ";
        char align = '\0';
        int first = text.Length > 1 && char.IsSurrogatePair(text, 0) ? 2 : 1;
        if (text.Length > first && text[first] is ('<' or '>' or '^' or '='))
        {
            fill = text[..first];
            align = text[first];
            at = first + 1;
        }
        else if (text.Length > 0 && text[0] is ('<' or '>' or '^' or '='))
        {
            align = text[0];
            at = 1;
        }
        char sign = at < text.Length && text[at] is ('+' or '-' or ' ') ? text[at++] : '-';
        bool alternate = at < text.Length && text[at] == '#';
        if (alternate)
            at++;
        if (at < text.Length && text[at] == '0' && align == '\0')
        {
            fill = "0";
            align = '=';
            at++;
        }
        int width = Digits(context, text, ref at) ?? 0;
        char grouping = at < text.Length && text[at] is (',' or '_') ? text[at++] : '\0';
        int precision = -1;
        if (at < text.Length && text[at] == '.')
        {
            at++;
            precision = Digits(context, text, ref at) ?? throw context.Error("Format specifier missing precision");
        }
        char type = at < text.Length ? text[at++] : '\0';
        if (at != text.Length)
            throw context.Error("Invalid format specifier");
        return new FormatSpec(fill, align, sign, alternate, width, grouping, precision, type);
    }

    public string Apply(RenderContext context, Value value)
    {
        if (value is FloatValue real)
            return Number(context, RealDigits(context, real.Value), real.Value < 0);
        if (value is BoolValue && Type == '\0')
            return Text(context, PythonText.Str(context, value));
        if (PythonNumbers.TryGetInt(value, out BigInteger integer))
        {
            if (Type is 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or '%')
                return Number(context, RealDigits(context, (double)integer), integer.Sign < 0);
            return Number(context, IntDigits(context, BigInteger.Abs(integer)), integer.Sign < 0);
        }
        if (value is UndefinedValue undefined)
            throw context.Undefined(undefined);
        if (value is not StringValue)
            throw context.Error($"unsupported format string passed to {value.TypeName}.__format__");
        if (Type is not ('s' or '\0') || Align == '=')
            throw context.Error($"Unknown format code '{Type}' for object of type 'str'");
        return Text(context, PythonText.Str(context, value));
    }

    private string Text(RenderContext context, string text)
    {
        if (Precision >= 0 && Precision < CodePoints.Length(text))
            text = text[..CodePoints.ToOffset(text, Precision)];
        return Pad(context, text, Align == '\0' ? '<' : Align);
    }

    /// <summary>Digits without their sign.</summary>
    private string IntDigits(RenderContext context, BigInteger number)
    {
        context.Work(number.GetBitLength());
        return Type switch
        {
            'd' or '\0' or 'n' => number.ToString(CultureInfo.InvariantCulture),
            'x' => (Alternate ? "0x" : "") + Radix(number, 4),
            'X' => (Alternate ? "0X" : "") + Radix(number, 4).ToUpperInvariant(),
            'o' => (Alternate ? "0o" : "") + Radix(number, 3),
            'b' => (Alternate ? "0b" : "") + Radix(number, 1),
            'c' when number <= 0x10FFFF && (number < 0xD800 || number > 0xDFFF) => char.ConvertFromUtf32((int)number),
            _ => throw context.Error($"Unknown format code '{Type}' for object of type 'int'"),
        };
    }

    private static string Radix(BigInteger number, int bitsPerDigit)
    {
        if (number.IsZero)
            return "0";
        var digits = new Stack<char>();
        for (; !number.IsZero; number >>= bitsPerDigit)
            digits.Push("0123456789abcdef"[(int)(number & ((1 << bitsPerDigit) - 1))]);
        return string.Concat(digits);
    }

    private string RealDigits(RenderContext context, double value)
    {
        double magnitude = Math.Abs(value);
        int precision = Precision < 0 ? 6 : Precision;
        if (precision > MaxPrecision)
            throw context.Error($"a precision of {precision} exceeds the limit of {MaxPrecision}");
        context.Work(precision * 8L);
        return Type switch
        {
            'f' => FloatText.Fixed(magnitude, precision),
            'F' => FloatText.Fixed(magnitude, precision).ToUpperInvariant(),
            'e' => FloatText.Exponential(magnitude, precision),
            'E' => FloatText.Exponential(magnitude, precision).ToUpperInvariant(),
            'g' or 'n' => FloatText.General(magnitude, precision),
            'G' => FloatText.General(magnitude, precision).ToUpperInvariant(),
            '%' => FloatText.Fixed(magnitude * 100, precision) + "%",
            '\0' => Precision < 0 ? FloatText.Repr(magnitude) : FloatText.General(magnitude, precision),
            _ => throw context.Error($"Unknown format code '{Type}' for object of type 'float'"),
        };
    }

    private string Number(RenderContext context, string digits, bool isNegative)
    {
        if (Grouping != '\0')
            digits = Group(digits);
        string sign = isNegative ? "-" : Sign is '+' or ' ' ? Sign.ToString() : "";
        if (Align == '=')
            return sign + StringMethods.Pad(context, digits, Width - sign.Length, Fill, '>');
        return Pad(context, sign + digits, Align == '\0' ? '>' : Align);
    }

    private string Group(string digits)
    {
        int integral = 0;
        while (integral < digits.Length && char.IsAsciiDigit(digits[integral]))
            integral++;
        string head = digits[..integral];
        for (int at = head.Length - 3; at > 0; at -= 3)
            head = head.Insert(at, Grouping.ToString());
        return head + digits[integral..];
    }

    private string Pad(RenderContext context, string text, char align)
    {
        if (align != '^')
            return StringMethods.Pad(context, text, Width, Fill, align);
        // Unlike str.center, a format specification puts the odd space behind.
        int margin = Math.Max(0, Width - CodePoints.Length(text));
        string head = StringMethods.Pad(context, text, CodePoints.Length(text) + (margin / 2), Fill, '>');
        return StringMethods.Pad(context, head, Width, Fill, '<');
    }

    private static int? Digits(RenderContext context, string text, ref int at)
    {
        int start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
            at++;
        if (at == start)
            return null;
        if (!int.TryParse(text.AsSpan(start, at - start), CultureInfo.InvariantCulture, out int number))
            throw context.Error("Too many decimal digits in format string");
        return number;
    }
}

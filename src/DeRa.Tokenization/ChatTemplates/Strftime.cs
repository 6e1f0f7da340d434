using System.Globalization;
using System.Text;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary><c>datetime.strftime</c> of a time without a zone, in the C locale, with glibc's flags <c>-</c>, <c>_</c>, <c>0</c> and <c>^</c>.</summary>
internal static class Strftime
{
    public static string Format(RenderContext context, DateTime time, string format)
    {
        context.Work(format.Length);
        var result = new StringBuilder();
        for (int i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                result.Append(format[i]);
                continue;
            }
            char flag = format[i + 1] is ('-' or '_' or '0' or '^') && i + 2 < format.Length ? format[++i] : '\0';
            string? text = Directive(time, format[++i], flag);
            result.Append(text ?? (flag == '\0' ? $"%{format[i]}" : $"%{flag}{format[i]}"));
            StringMethods.CheckLength(context, result);
        }
        return result.ToString();
    }

    private static string? Directive(DateTime time, char directive, char flag)
    {
        string? text = directive switch
        {
            'a' => Name(time, "ddd"),
            'A' => Name(time, "dddd"),
            'b' or 'h' => Name(time, "MMM"),
            'B' => Name(time, "MMMM"),
            'c' => $"{Name(time, "ddd")} {Name(time, "MMM")} {time.Day,2} {Name(time, "HH:mm:ss yyyy")}",
            'D' or 'x' => Name(time, "MM/dd/yy"),
            'F' => Name(time, "yyyy-MM-dd"),
            'T' or 'X' => Name(time, "HH:mm:ss"),
            'R' => Name(time, "HH:mm"),
            'r' => Name(time, "hh:mm:ss tt"),
            'p' => Name(time, "tt"),
            'P' => Name(time, "tt").ToLowerInvariant(),
            'f' => Name(time, "ffffff"),
            'n' => "\n",
            't' => "\t",
            '%' => "%",
            'z' or 'Z' => "",
            _ => Number(time, directive, flag),
        };
        return flag == '^' ? text?.ToUpperInvariant() : text;
    }

    private static string Name(DateTime time, string format) => time.ToString(format, CultureInfo.InvariantCulture);

    private static string? Number(DateTime time, char directive, char flag)
    {
        int mondayBased = ((int)time.DayOfWeek + 6) % 7;
        int hour12 = ((time.Hour + 11) % 12) + 1;
        (int Value, int Width, char Pad)? number = directive switch
        {
            'd' => (time.Day, 2, '0'),
            'e' => (time.Day, 2, ' '),
            'm' => (time.Month, 2, '0'),
            'y' => (time.Year % 100, 2, '0'),
            'Y' => (time.Year, 1, '0'),
            'C' => (time.Year / 100, 2, '0'),
            'H' => (time.Hour, 2, '0'),
            'k' => (time.Hour, 2, ' '),
            'I' => (hour12, 2, '0'),
            'l' => (hour12, 2, ' '),
            'M' => (time.Minute, 2, '0'),
            'S' => (time.Second, 2, '0'),
            'j' => (time.DayOfYear, 3, '0'),
            'u' => (mondayBased + 1, 1, '0'),
            'w' => ((int)time.DayOfWeek, 1, '0'),
            'U' => ((time.DayOfYear + 6 - (int)time.DayOfWeek) / 7, 2, '0'),
            'W' => ((time.DayOfYear + 6 - mondayBased) / 7, 2, '0'),
            'V' => (ISOWeek.GetWeekOfYear(time), 2, '0'),
            'G' => (ISOWeek.GetYear(time), 1, '0'),
            'g' => (ISOWeek.GetYear(time) % 100, 2, '0'),
            _ => null,
        };
        if (number is not (int value, int width, char pad))
            return null;
        string digits = value.ToString(CultureInfo.InvariantCulture);
        return flag switch
        {
            '-' => digits,
            '_' => digits.PadLeft(width, ' '),
            '0' => digits.PadLeft(width, '0'),
            _ => digits.PadLeft(width, pad),
        };
    }
}

using System.Globalization;
using System.Text;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Resolves the backslash escapes of a string literal as Python's <c>unicode-escape</c> codec does.</summary>
internal static class StringEscapes
{
    /// <exception cref="ChatTemplateException">An escape that is cut short or names no character.</exception>
    public static string Resolve(string body, int line)
    {
        if (!body.Contains('\\', StringComparison.Ordinal))
            return body;
        var text = new StringBuilder(body.Length);
        for (int i = 0; i < body.Length; i++)
        {
            if (body[i] != '\\' || i + 1 == body.Length)
            {
                text.Append(body[i]);
                continue;
            }
            char escape = body[++i];
            switch (escape)
            {
                case '\n':
                    break;
                case '\\' or '\'' or '"':
                    text.Append(escape);
                    break;
                case 'x':
                    AppendHex(text, body, ref i, 2, line);
                    break;
                case 'u':
                    AppendHex(text, body, ref i, 4, line);
                    break;
                case 'U':
                    AppendHex(text, body, ref i, 8, line);
                    break;
                case 'N':
                    throw new ChatTemplateException(line, "string literal", "\\N{...} escapes are not supported");
                case >= '0' and <= '7':
                    AppendOctal(text, body, ref i);
                    break;
                default:
                    int control = "abfnrtv".IndexOf(escape, StringComparison.Ordinal);
                    if (control >= 0)
                        text.Append("\a\b\f\n\r\t\v"[control]);
                    else
                        text.Append('\\').Append(escape);
                    break;
            }
        }
        return text.ToString();
    }

    private static void AppendHex(StringBuilder text, string body, ref int i, int digits, int line)
    {
        if (i + digits >= body.Length
            || !int.TryParse(body.AsSpan(i + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int code)
            || code is < 0 or > 0x10FFFF)
        {
            throw new ChatTemplateException(line, "string literal", $"the escape \\{body[i]} needs {digits} hexadecimal digits of a character");
        }
        if (code > char.MaxValue)
            text.Append(char.ConvertFromUtf32(code));
        else
            text.Append((char)code);
        i += digits;
    }

    private static void AppendOctal(StringBuilder text, string body, ref int i)
    {
        int code = 0;
        int end = Math.Min(i + 3, body.Length);
        int start = i;
        while (i < end && body[i] is >= '0' and <= '7')
            code = (code * 8) + (body[i++] - '0');
        if (i == start)
            return;
        i--;
        text.Append((char)code);
    }
}

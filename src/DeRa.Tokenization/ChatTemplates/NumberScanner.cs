namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Finds where a numeric literal ends; the forms are Python's, with underscores between digits.</summary>
internal static class NumberScanner
{
    /// <summary>The end of the float that starts here, or <paramref name="start"/> if none does.</summary>
    public static int ScanFloat(string text, int start)
    {
        int integral = Digits(text, start);
        int end = integral;
        bool isFloat = false;
        if (end < text.Length && text[end] == '.')
        {
            int fraction = Digits(text, end + 1);
            if (fraction > end + 1)
            {
                end = fraction;
                isFloat = true;
            }
        }
        if (end < text.Length && text[end] is 'e' or 'E')
        {
            int exponentStart = end + 1;
            if (exponentStart < text.Length && text[exponentStart] is '+' or '-')
                exponentStart++;
            int exponent = Digits(text, exponentStart);
            if (exponent > exponentStart)
            {
                end = exponent;
                isFloat = true;
            }
        }
        return isFloat ? end : start;
    }

    /// <summary>The end of the integer that starts here: decimal, or binary, octal or hexadecimal with a prefix.</summary>
    public static int ScanInteger(string text, int start)
    {
        if (text[start] != '0')
            return Digits(text, start);
        if (start + 1 < text.Length)
        {
            Func<char, bool>? isDigit = char.ToLowerInvariant(text[start + 1]) switch
            {
                'x' => char.IsAsciiHexDigit,
                'o' => c => c is >= '0' and <= '7',
                'b' => c => c is '0' or '1',
                _ => null,
            };
            if (isDigit is not null)
            {
                int end = Digits(text, start + 2, isDigit, leadingUnderscore: true);
                return end > start + 2 ? end : start + 1;
            }
        }
        return Digits(text, start, c => c == '0');
    }

    private static int Digits(string text, int start) => Digits(text, start, char.IsAsciiDigit);

    private static int Digits(string text, int start, Func<char, bool> isDigit, bool leadingUnderscore = false)
    {
        int end = start;
        while (end < text.Length)
        {
            if (isDigit(text[end]))
                end++;
            else if (text[end] == '_' && (end > start || leadingUnderscore) && end + 1 < text.Length && isDigit(text[end + 1]))
                end += 2;
            else
                break;
        }
        return end;
    }
}

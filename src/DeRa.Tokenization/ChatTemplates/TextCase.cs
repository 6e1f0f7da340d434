using System.Globalization;
using System.Text;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Case and character classes of strings as Python's <c>str</c> sees them.</summary>
internal static class TextCase
{
    public static string Capitalize(string text)
    {
        if (text.Length == 0)
            return text;
        int first = SizeAt(text, 0);
        return CodePoints.Upper(text[..first]) is { Length: > 1 } upper && first == 1
            ? upper[..1] + CodePoints.Lower(upper[1..] + text[first..])
            : CodePoints.Upper(text[..first]) + CodePoints.Lower(text[first..]);
    }

    public static string Title(string text) => PerWord(text, CodePoints.Upper, CodePoints.Lower);

    public static string Swap(string text) => string.Concat(CodePoints.Split(text).Select(c => IsLower(c) ? CodePoints.Upper(c) : CodePoints.Lower(c)));

    private static string PerWord(string text, Func<string, string> first, Func<string, string> rest)
    {
        var result = new StringBuilder(text.Length);
        bool inWord = false;
        foreach (string character in CodePoints.Split(text))
        {
            result.Append(inWord ? rest(character) : first(character));
            inWord = IsCased(character);
        }
        return result.ToString();
    }

    private static bool IsCased(string character) => Category(character) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;

    private static UnicodeCategory Category(string character) => CharUnicodeInfo.GetUnicodeCategory(character, 0);

    public static bool IsUpper(string text) => CasedAre(text, UnicodeCategory.UppercaseLetter);

    public static bool IsLower(string text) => CasedAre(text, UnicodeCategory.LowercaseLetter);

    private static bool CasedAre(string text, UnicodeCategory category)
    {
        bool any = false;
        foreach (string character in CodePoints.Split(text).Where(IsCased))
        {
            if (Category(character) != category)
                return false;
            any = true;
        }
        return any;
    }

    public static bool IsTitle(string text)
    {
        bool any = false;
        bool inWord = false;
        foreach (string character in CodePoints.Split(text))
        {
            bool isCased = IsCased(character);
            if (isCased && (Category(character) == UnicodeCategory.LowercaseLetter) != inWord)
                return false;
            any |= isCased;
            inWord = isCased;
        }
        return any;
    }

    public static bool IsIdentifier(string text) =>
        text.Length > 0
        && !char.IsDigit(text[0])
        && text.EnumerateRunes().All(rune => rune.Value == '_' || Rune.IsLetterOrDigit(rune));

    public static bool IsDecimal(Rune rune) => Rune.GetUnicodeCategory(rune) == UnicodeCategory.DecimalDigitNumber;

    public static bool IsDigit(Rune rune) => CharUnicodeInfo.GetDigitValue(rune.ToString(), 0) >= 0;

    public static bool IsNumeric(Rune rune) => Rune.IsNumber(rune);

    /// <summary><c>text.strip(characters)</c> at either end.</summary>
    public static string Strip(string text, string characters, bool atStart, bool atEnd)
    {
        var set = new HashSet<string>(CodePoints.Split(characters), StringComparer.Ordinal);
        int start = 0;
        int end = text.Length;
        while (atStart && start < end && set.Contains(text.Substring(start, SizeAt(text, start))))
            start += SizeAt(text, start);
        while (atEnd && end > start && set.Contains(text[SizeBefore(text, end)..end]))
            end = SizeBefore(text, end);
        return text[start..end];
    }

    private static int SizeAt(string text, int at) => at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;

    private static int SizeBefore(string text, int end) => end > 1 && char.IsSurrogatePair(text[end - 2], text[end - 1]) ? end - 2 : end - 1;
}

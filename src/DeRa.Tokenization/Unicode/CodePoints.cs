using System.Buffers;
using System.Globalization;
using System.Text;

namespace DeRa.Tokenization;

/// <summary>Code-point access to UTF-16 text and the character classes of Rust's standard library and regex crate.</summary>
internal static class CodePoints
{
    public const int Last = 0x10FFFF;

    private const int Replacement = 0xFFFD;

    private static readonly SearchValues<char> Surrogates =
        SearchValues.Create([.. Enumerable.Range(0xD800, 0x800).Select(unit => (char)unit)]);

    /// <summary>The code point at <paramref name="index"/>; a lone surrogate reads as U+FFFD.</summary>
    public static int At(ReadOnlySpan<char> text, int index)
    {
        char first = text[index];
        if (!char.IsSurrogate(first))
            return first;
        if (char.IsHighSurrogate(first) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]))
            return char.ConvertToUtf32(first, text[index + 1]);
        return Replacement;
    }

    /// <summary>How many UTF-16 units the code point at <paramref name="index"/> takes: 1 or 2.</summary>
    public static int LengthAt(ReadOnlySpan<char> text, int index) =>
        char.IsHighSurrogate(text[index]) && index + 1 < text.Length && char.IsLowSurrogate(text[index + 1]) ? 2 : 1;

    /// <summary>How many UTF-16 units the code point that ends before <paramref name="index"/> takes: 1 or 2.</summary>
    public static int LengthBefore(ReadOnlySpan<char> text, int index) =>
        char.IsLowSurrogate(text[index - 1]) && index >= 2 && char.IsHighSurrogate(text[index - 2]) ? 2 : 1;

    /// <summary>The text with every lone surrogate replaced by U+FFFD: what UTF-8 programs receive in its place.</summary>
    public static string WellFormed(string text)
    {
        if (text.AsSpan().IndexOfAny(Surrogates) < 0)
            return text;
        StringBuilder result = new(text.Length);
        for (int i = 0; i < text.Length; i += LengthAt(text, i))
            Append(result, At(text, i));
        return result.ToString();
    }

    public static void Append(StringBuilder target, int codePoint)
    {
        if (codePoint < 0x10000)
            target.Append((char)codePoint);
        else
            target.Append((char)(0xD800 + ((codePoint - 0x10000) >> 10))).Append((char)(0xDC00 + (codePoint & 0x3FF)));
    }

    public static UnicodeCategory Category(int codePoint) => CharUnicodeInfo.GetUnicodeCategory(codePoint);

    /// <summary>The White_Space property (Rust <c>char::is_whitespace</c>, regex <c>\s</c>): all of it lies in the basic plane.</summary>
    public static bool IsWhiteSpace(int codePoint) => codePoint < 0x10000 && char.IsWhiteSpace((char)codePoint);

    /// <summary>Nd, Nl or No (Rust <c>char::is_numeric</c>).</summary>
    public static bool IsNumeric(int codePoint) =>
        Category(codePoint) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    /// <summary>Any P* category, or one of the ASCII symbols that C calls punctuation.</summary>
    public static bool IsPunctuation(int codePoint) =>
        codePoint < 0x80
            ? codePoint is (>= '!' and <= '/') or (>= ':' and <= '@') or (>= '[' and <= '`') or (>= '{' and <= '~')
            : Category(codePoint) is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation;

    public static bool IsMark(int codePoint) =>
        Category(codePoint) is >= UnicodeCategory.NonSpacingMark and <= UnicodeCategory.EnclosingMark;

    /// <summary>
    /// The Alphabetic property. Beyond letters, letter numbers and marks only the circled and squared Latin letters (So) have it; marks without
    /// it are not told apart, because every user of this class (<c>\w</c>) admits all marks anyway.
    /// </summary>
    public static bool IsAlphabeticOrMark(int codePoint) =>
        Category(codePoint) is (>= UnicodeCategory.UppercaseLetter and <= UnicodeCategory.EnclosingMark) or UnicodeCategory.LetterNumber
        || codePoint is (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);

    /// <summary><c>\w</c> of Oniguruma: Alphabetic, M, Nd, Pc, and of the other numbers those in Latin-1 (², ³, ¹, ¼, ½, ¾).</summary>
    public static bool IsWord(int codePoint) => IsWordProperty(codePoint) || codePoint is 0xB2 or 0xB3 or 0xB9 or 0xBC or 0xBD or 0xBE;

    /// <summary><c>\w</c> of Rust's regex crate: Alphabetic, M, Nd, Pc and the two join controls.</summary>
    public static bool IsRustWord(int codePoint) => IsWordProperty(codePoint) || codePoint is 0x200C or 0x200D;

    private static bool IsWordProperty(int codePoint) =>
        IsAlphabeticOrMark(codePoint)
        || Category(codePoint) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.ConnectorPunctuation;
}

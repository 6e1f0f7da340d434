using System.Text;

namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Strings as Python counts them: by code point, while .NET counts UTF-16 units.</summary>
internal static class CodePoints
{
    public static bool AreUnits(string text) => text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0;

    public static int Length(string text)
    {
        if (AreUnits(text))
            return text.Length;
        int pairs = 0;
        for (int i = 0; i + 1 < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i], text[i + 1]))
            {
                pairs++;
                i++;
            }
        }
        return text.Length - pairs;
    }

    /// <summary>The string's characters, each a string of one code point.</summary>
    public static IEnumerable<string> Split(string text)
    {
        for (int i = 0; i < text.Length;)
        {
            int size = i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]) ? 2 : 1;
            yield return text.Substring(i, size);
            i += size;
        }
    }

    /// <summary>UTF-16 offset of each code point, and the length at the end.</summary>
    public static int[] Offsets(string text)
    {
        var offsets = new List<int>(text.Length + 1);
        for (int i = 0; i < text.Length; i++)
        {
            offsets.Add(i);
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
                i++;
        }
        offsets.Add(text.Length);
        return [.. offsets];
    }

    /// <summary>UTF-16 offset of the code point at an index.</summary>
    public static int ToOffset(string text, int index)
    {
        if (AreUnits(text))
            return index;
        return Offsets(text)[index];
    }

    /// <summary>Index of the code point at a UTF-16 offset.</summary>
    public static int ToIndex(string text, int offset) => Length(text[..offset]);

    /// <summary>Order by code point; UTF-16 order differs where surrogates meet U+E000 to U+FFFF.</summary>
    public static int Compare(string left, string right)
    {
        int common = left.AsSpan().CommonPrefixLength(right);
        if (common == left.Length || common == right.Length)
            return left.Length.CompareTo(right.Length);
        return Rank(left[common]).CompareTo(Rank(right[common]));

        static int Rank(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
    }

    public static string Upper(string text) => Map(text, Rune.ToUpperInvariant, "ß", "SS");

    public static string Lower(string text) => Map(text, Rune.ToLowerInvariant, "İ", "i\u0307");

    /// <summary>Maps each character; .NET knows one-to-one case pairs only, so the one common exception is given beside it.</summary>
    private static string Map(string text, Func<Rune, Rune> map, string special, string specialResult)
    {
        var result = new StringBuilder(text.Length);
        foreach (string character in Split(text))
        {
            if (character == special)
                result.Append(specialResult);
            else if (Rune.TryGetRuneAt(character, 0, out Rune rune))
                result.Append(map(rune).ToString());
            else
                result.Append(character);
        }
        return result.ToString();
    }
}

using System.Globalization;
using System.Text;

namespace DeRa.Tokenization;

/// <summary>Applies normalizers in order.</summary>
internal sealed class SequenceNormalizer(IReadOnlyList<Normalizer> parts) : Normalizer
{
    public override string Normalize(string text)
    {
        foreach (Normalizer part in parts)
            text = part.Normalize(text);
        return text;
    }
}

/// <summary>One of the four Unicode normalization forms.</summary>
internal sealed class UnicodeFormNormalizer(NormalizationForm form) : Normalizer
{
    public override string Normalize(string text) => UnicodeNormalization.Normalize(text, form);
}

/// <summary>Lower case, character by character and independent of language.</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    /// <summary>The only character whose lower case is more than one character.</summary>
    private const char CapitalIWithDot = '\u0130';

    public override string Normalize(string text) =>
        text.ToLowerInvariant().Replace(CapitalIWithDot.ToString(), "i\u0307", StringComparison.Ordinal);
}

/// <summary>Removes white space at the ends.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override string Normalize(string text)
    {
        if (left)
            text = text.TrimStart();
        return right ? text.TrimEnd() : text;
    }
}

/// <summary>Removes combining marks (general category M).</summary>
internal sealed class StripAccentsNormalizer : Normalizer
{
    public override string Normalize(string text)
    {
        StringBuilder result = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) is < UnicodeCategory.NonSpacingMark or > UnicodeCategory.EnclosingMark)
                CodePoints.Append(result, rune.Value);
        }
        return result.ToString();
    }
}

/// <summary>Puts a fixed text before any text that is not empty.</summary>
internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    public override string Normalize(string text) => text.Length == 0 ? text : prefix + text;
}

/// <summary>Replaces every match of a pattern by a fixed text.</summary>
internal sealed class ReplaceNormalizer(TextPattern pattern, string content) : Normalizer
{
    public override string Normalize(string text) => pattern.Replace(text, content);
}

/// <summary>Spells the UTF-8 bytes of the text in GPT-2's byte alphabet.</summary>
internal sealed class ByteLevelNormalizer : Normalizer
{
    public override string Normalize(string text) => ByteAlphabet.Spell(text);
}

/// <summary>SentencePiece's nmt rule set: drops control characters and turns unusual spaces into the plain one.</summary>
internal sealed class NmtNormalizer : Normalizer
{
    public override string Normalize(string text)
    {
        StringBuilder result = new(text.Length);
        foreach (char unit in text)
        {
            if (unit is (>= '\u0001' and <= '\u0008') or '\u000B' or (>= '\u000E' and <= '\u001F') or '\u007F' or '\u008F' or '\u009F')
                continue;
            result.Append(IsSpaceLike(unit) ? ' ' : unit);
        }
        return result.ToString();
    }

    private static bool IsSpaceLike(char unit) =>
        unit is '\t' or '\n' or '\f' or '\r' or '\u1680' or (>= '\u200B' and <= '\u200F') or '\u2028' or '\u2029' or '\u2581' or '\uFEFF' or '\uFFFD';
}

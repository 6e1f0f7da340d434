namespace DeRa.Tokenization.ChatTemplates;

/// <summary>Substring search that charges for its worst case, which a hostile pair of long strings can reach.</summary>
internal static class TextSearch
{
    private const int ShortNeedle = 32;

    /// <summary>Characters that a vectorised comparison takes at once.</summary>
    private const int ComparedPerStep = 16;

    /// <summary>Bounds the product of two lengths well below overflow.</summary>
    private const int MaxCharged = 1 << 24;

    public static int IndexOf(RenderContext context, string text, string part, int from)
    {
        if (part.Length > ShortNeedle)
            Charge(context, text.Length - from, part.Length);
        int found = text.IndexOf(part, from, StringComparison.Ordinal);
        if (part.Length <= ShortNeedle)
            Charge(context, (found < 0 ? text.Length : found) - from, part.Length);
        return found;
    }

    public static int LastIndexOf(RenderContext context, string text, string part)
    {
        Charge(context, text.Length, part.Length);
        return text.AsSpan().LastIndexOf(part, StringComparison.Ordinal);
    }

    /// <summary>Charges a search before it runs; call it where the text may be long and the needle comes from the template.</summary>
    public static void Charge(RenderContext context, long textLength, long partLength) =>
        context.Work(partLength <= ShortNeedle ? textLength : textLength * Math.Min(partLength, MaxCharged) / ComparedPerStep);
}

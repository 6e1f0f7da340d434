namespace DeRa.Tokenization;

/// <summary>When <see cref="MetaspacePreTokenizer"/> puts its mark before a piece.</summary>
internal enum PrependScheme
{
    /// <summary>Before every piece.</summary>
    Always,

    /// <summary>Before the piece that begins the text.</summary>
    First,

    /// <summary>Never.</summary>
    Never,
}

/// <summary>Writes spaces as a visible mark, prepends one, and splits before each mark (HF <c>Metaspace</c>).</summary>
internal sealed class MetaspacePreTokenizer(int mark, PrependScheme scheme, bool split) : PreTokenizer
{
    private readonly string markText = char.ConvertFromUtf32(mark);
    private readonly CharacterPreTokenizer splitter = new(codePoint => codePoint == mark, SplitBehavior.MergedWithNext);

    protected override void Split(TextPiece piece, List<TextPiece> result)
    {
        string text = piece.Text.ToString().Replace(" ", markText, StringComparison.Ordinal);
        bool prepend = scheme == PrependScheme.Always || (scheme == PrependScheme.First && piece.AtStart);
        if (prepend && !text.StartsWith(markText, StringComparison.Ordinal))
            text = markText + text;
        TextPiece marked = piece with { Text = text.AsMemory() };
        if (split)
            result.AddRange(splitter.Split([marked]));
        else
            result.Add(marked);
    }
}

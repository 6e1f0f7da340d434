namespace DeRa.Tokenization;

/// <summary>Keeps runs of word characters and runs of other visible characters, drops white space (HF <c>Whitespace</c>: <c>\w+|[^\w\s]+</c>).</summary>
internal sealed class WordRunPreTokenizer : PreTokenizer
{
    private enum Kind
    {
        Space,
        Word,
        Other,
    }

    protected override void Split(TextPiece piece, List<TextPiece> result)
    {
        ReadOnlySpan<char> text = piece.Text.Span;
        for (int start = 0, end; start < text.Length; start = end)
        {
            Kind kind = KindAt(text, start);
            end = start;
            while (end < text.Length && KindAt(text, end) == kind)
                end += CodePoints.LengthAt(text, end);
            if (kind != Kind.Space)
                result.Add(piece.Slice(start, end - start));
        }
    }

    private static Kind KindAt(ReadOnlySpan<char> text, int index)
    {
        int codePoint = CodePoints.At(text, index);
        if (CodePoints.IsRustWord(codePoint))
            return Kind.Word;
        return CodePoints.IsWhiteSpace(codePoint) ? Kind.Space : Kind.Other;
    }
}

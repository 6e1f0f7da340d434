namespace DeRa.Tokenization;

/// <summary>GPT-2's pre-tokenizer: an optional leading space, an optional split by its pattern, then bytes spelled in its alphabet.</summary>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool useRegex) : PreTokenizer
{
    private static readonly TextPattern Words = TextPattern.Regex(
        @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+");

    protected override void Split(TextPiece piece, List<TextPiece> result)
    {
        if (addPrefixSpace && piece.Text.Span[0] != ' ')
            piece = piece with { Text = string.Concat(" ", piece.Text.Span).AsMemory() };
        if (!useRegex)
        {
            result.Add(piece with { Text = ByteAlphabet.Spell(piece.Text.Span).AsMemory() });
            return;
        }
        foreach (Segment word in Words.Segments(piece.Text.Span))
        {
            TextPiece slice = piece.Slice(word.Start, word.End - word.Start);
            result.Add(slice with { Text = ByteAlphabet.Spell(slice.Text.Span).AsMemory() });
        }
    }
}

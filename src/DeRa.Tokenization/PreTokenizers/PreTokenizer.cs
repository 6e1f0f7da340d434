namespace DeRa.Tokenization;

/// <summary>Cuts text into the words that the model encodes one by one (HF <c>pre_tokenizer</c>).</summary>
internal abstract class PreTokenizer
{
    /// <summary>Splits every piece that is not an added token; pieces that come out empty vanish.</summary>
    public virtual List<TextPiece> Split(List<TextPiece> pieces)
    {
        List<TextPiece> result = new(pieces.Count);
        foreach (TextPiece piece in pieces)
        {
            if (piece.TokenId is not null)
                result.Add(piece);
            else
                Split(piece, result);
        }
        return result;
    }

    protected abstract void Split(TextPiece piece, List<TextPiece> result);
}

/// <summary>Applies pre-tokenizers in order.</summary>
internal sealed class SequencePreTokenizer(IReadOnlyList<PreTokenizer> parts) : PreTokenizer
{
    public override List<TextPiece> Split(List<TextPiece> pieces)
    {
        foreach (PreTokenizer part in parts)
            pieces = part.Split(pieces);
        return pieces;
    }

    protected override void Split(TextPiece piece, List<TextPiece> result) => result.AddRange(Split([piece]));
}

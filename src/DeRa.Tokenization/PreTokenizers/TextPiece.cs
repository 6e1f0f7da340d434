namespace DeRa.Tokenization;

/// <summary>A stretch of the text on its way to the model.</summary>
/// <param name="Text">Its characters, well-formed UTF-16.</param>
/// <param name="TokenId">The added token it is, which nothing touches any more; null for ordinary text.</param>
/// <param name="AtStart">Whether it begins where the whole text begins (Metaspace with prepend_scheme "first").</param>
internal readonly record struct TextPiece(ReadOnlyMemory<char> Text, int? TokenId, bool AtStart)
{
    /// <summary>A part of this piece, as ordinary text.</summary>
    public TextPiece Slice(int start, int length) => new(Text.Slice(start, length), null, AtStart && start == 0);
}

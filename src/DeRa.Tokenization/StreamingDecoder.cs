namespace DeRa.Tokenization;

/// <summary>
/// Decodes ids one at a time. Text comes out as soon as no later token can change it, so never half a character, and everything that comes
/// out, joined, equals <see cref="Tokenizer.Decode"/> of all the ids. Each id costs time in proportion to its own text. Not thread-safe.
/// </summary>
/// <remarks>
/// Byte-fallback tokens come out with the first token that is not one, or at the end: until then a later byte may still turn the whole run
/// into U+FFFD characters.
/// </remarks>
public sealed class StreamingDecoder
{
    private readonly ITokenizerCore core;
    private readonly bool skipSpecialTokens;
    private readonly TextSink text = new();
    private readonly ITokenSink chain;
    private bool flushed;

    internal StreamingDecoder(ITokenizerCore core, bool skipSpecialTokens)
    {
        this.core = core;
        this.skipSpecialTokens = skipSpecialTokens;
        chain = core.StartDecoding(text);
    }

    /// <summary>Takes the next id and returns the text that it settles, which may be empty. Ids outside the vocabulary decode to nothing.</summary>
    /// <exception cref="InvalidOperationException">The decoder has been flushed.</exception>
    public string Append(int id)
    {
        if (flushed)
            throw new InvalidOperationException("The streaming decoder has been flushed; a new text needs a new decoder.");
        if (core.DecoderInput(id, skipSpecialTokens) is not { } input)
            return "";
        chain.Write(input, starts: true, ends: true);
        return text.Take();
    }

    /// <summary>Ends the text and returns what was still held back; bytes that never became a character come out as U+FFFD.</summary>
    public string Flush()
    {
        if (flushed)
            return "";
        flushed = true;
        chain.Complete();
        return text.Take();
    }
}

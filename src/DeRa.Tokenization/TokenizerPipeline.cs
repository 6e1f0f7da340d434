namespace DeRa.Tokenization;

/// <summary>A way to turn text into ids and back; <see cref="Tokenizer"/> adds the configuration around it.</summary>
internal interface ITokenizerCore
{
    /// <summary>Token → id, added tokens included.</summary>
    IReadOnlyDictionary<string, int> Vocabulary { get; }

    List<int> Encode(string text, bool addSpecialTokens);

    /// <summary>A token's text as written in its file, or null for an unknown id.</summary>
    string? IdToToken(int id);

    bool IsSpecial(int id);

    /// <summary>What decoding passes on for an id: null for an unknown id, or a special token when those are skipped.</summary>
    string? DecoderInput(int id, bool skipSpecialTokens);

    /// <summary>A fresh decoder chain that ends in <paramref name="text"/>.</summary>
    ITokenSink StartDecoding(ITokenSink text);
}

/// <summary>
/// The stages of a tokenizer.json: added tokens are cut out, the rest is normalized, split into words and encoded word by word, and special
/// tokens are put around the result; decoding runs the decoder chain over the tokens' texts.
/// </summary>
internal sealed class TokenizerPipeline : ITokenizerCore
{
    private readonly AddedVocabulary added;
    private readonly PreTokenizer? preTokenizer;
    private readonly BpeModel model;
    private readonly PostProcessor? postProcessor;
    private readonly TokenDecoder decoder;

    public TokenizerPipeline(
        AddedVocabulary added, PreTokenizer? preTokenizer, BpeModel model, PostProcessor? postProcessor, TokenDecoder decoder)
    {
        this.added = added;
        this.preTokenizer = preTokenizer;
        this.model = model;
        this.postProcessor = postProcessor;
        this.decoder = decoder;
        Dictionary<string, int> all = new(model.Vocabulary.Ids, StringComparer.Ordinal);
        foreach ((string token, int id) in added.Ids)
            all[token] = id;
        Vocabulary = all;
    }

    public IReadOnlyDictionary<string, int> Vocabulary { get; }

    public List<int> Encode(string text, bool addSpecialTokens)
    {
        List<TextPiece> pieces = added.Extract(text);
        if (preTokenizer is not null)
            pieces = preTokenizer.Split(pieces);
        List<int> ids = new(text.Length / 2);
        foreach (TextPiece piece in pieces)
        {
            if (piece.TokenId is { } id)
                ids.Add(id);
            else
                model.Encode(piece.Text.Span, ids);
        }
        return addSpecialTokens && postProcessor is not null ? postProcessor.Process(ids) : ids;
    }

    public string? IdToToken(int id) => added.Content(id) ?? (model.Vocabulary.TryGetToken(id, out string? token) ? token : null);

    public bool IsSpecial(int id) => added.IsSpecial(id);

    public string? DecoderInput(int id, bool skipSpecialTokens)
    {
        string? input = added.DecoderInput(id) ?? (model.Vocabulary.TryGetToken(id, out string? token) ? token : null);
        return input is not null && skipSpecialTokens && added.IsSkipped(input) ? null : input;
    }

    public ITokenSink StartDecoding(ITokenSink text) => decoder.Attach(text);
}

namespace DeRa.Tokenization;

/// <summary>
/// The tokenizer of a tokenizer.model file. Text is encoded as sentencepiece itself does: control pieces such as &lt;s&gt; are never recognised
/// in it; tokens that added_tokens.json or added_tokens_decoder add beyond the model's pieces are.
/// </summary>
internal sealed class SentencePieceCore : ITokenizerCore
{
    private readonly SentencePieceModel model;
    private readonly SentencePieceBpe bpe;
    private readonly Dictionary<string, int> vocabulary = new(StringComparer.Ordinal);
    private readonly Dictionary<int, AddedToken> added = [];
    private readonly TokenTrie? addedTrie;
    private readonly TokenDecoder decoder;
    private readonly int[] before;
    private readonly int[] after;

    private SentencePieceCore(SentencePieceModel model, TokenizerConfig config)
    {
        this.model = model;
        bpe = new SentencePieceBpe(model);
        for (int id = 0; id < model.Pieces.Count; id++)
            vocabulary[model.Pieces[id].Text] = id;
        foreach ((int id, AddedToken token) in config.AddedTokens)
        {
            // An id the model has is the model's piece, declared once more.
            if (id < model.Pieces.Count || token.Content.Length == 0)
                continue;
            added[id] = token;
            vocabulary[token.Content] = id;
        }
        addedTrie = added.Count == 0 ? null : new TokenTrie(added.Select(entry => (entry.Value.Content, entry.Key)));
        decoder = Decoder(model.AddsDummyPrefix);
        // transformers' LlamaTokenizer adds BOS and not EOS unless told otherwise.
        before = config.AddBosToken ?? true ? Piece(model.BosId) : [];
        after = config.AddEosToken ?? false ? Piece(model.EosId) : [];
    }

    public IReadOnlyDictionary<string, int> Vocabulary => vocabulary;

    public static SentencePieceCore Read(string path, TokenizerConfig config) => new(SentencePieceModel.Read(path), config);

    public List<int> Encode(string text, bool addSpecialTokens)
    {
        List<int> ids = [];
        if (addSpecialTokens)
            ids.AddRange(before);
        int done = 0;
        if (addedTrie is not null)
        {
            while (addedTrie.TryFind(text, done, out int start, out int length, out int id))
            {
                EncodePlain(text[done..start], ids);
                ids.Add(id);
                done = start + length;
            }
        }
        EncodePlain(text[done..], ids);
        if (addSpecialTokens)
            ids.AddRange(after);
        return ids;
    }

    public string? IdToToken(int id) =>
        added.TryGetValue(id, out AddedToken? token) ? token.Content
        : id >= 0 && id < model.Pieces.Count ? model.Pieces[id].Text : null;

    public bool IsSpecial(int id) =>
        added.TryGetValue(id, out AddedToken? token) ? token.Special
        : id >= 0 && id < model.Pieces.Count && model.Pieces[id].Type is PieceType.Control or PieceType.Unknown;

    public string? DecoderInput(int id, bool skipSpecialTokens) => skipSpecialTokens && IsSpecial(id) ? null : IdToToken(id);

    public ITokenSink StartDecoding(ITokenSink text) => decoder.Attach(text);

    private void EncodePlain(string text, List<int> ids) => bpe.Encode(model.Normalize(text), ids);

    private int[] Piece(int id) => id >= 0 && id < model.Pieces.Count ? [id] : [];

    /// <summary>Marks to spaces, bytes to characters, and the dummy prefix taken off again: the chain that a converted tokenizer.json has.</summary>
    private static SequenceDecoder Decoder(bool stripsPrefix)
    {
        List<TokenDecoder> parts = [new ReplaceDecoder(TextPattern.Literal("\u2581"), " "), new ByteFallbackDecoder(), new FuseDecoder()];
        if (stripsPrefix)
            parts.Add(new StripDecoder(' ', start: 1, stop: 0));
        return new SequenceDecoder(parts);
    }
}

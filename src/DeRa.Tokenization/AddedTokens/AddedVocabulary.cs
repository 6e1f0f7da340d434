namespace DeRa.Tokenization;

/// <summary>
/// Cuts added tokens out of a text and normalizes what lies between them: first the tokens matched as they are, then, in the normalized rest,
/// the tokens with <c>normalized: true</c> (huggingface/tokenizers <c>added_vocabulary.rs</c>).
/// </summary>
internal sealed class AddedVocabulary
{
    private readonly Normalizer? normalizer;
    private readonly Dictionary<string, int> ids = new(StringComparer.Ordinal);
    private readonly Dictionary<int, AddedToken> tokens = [];
    private readonly Dictionary<int, string> normalizedContents = [];
    private readonly HashSet<string> special = new(StringComparer.Ordinal);
    private readonly TokenTrie? verbatim;
    private readonly TokenTrie? normalized;

    /// <summary>
    /// Adds the tokens in order: one the model knows keeps the model's id, any other takes the id declared for it, or the next free one.
    /// </summary>
    public AddedVocabulary(IEnumerable<(AddedToken Token, int? Id)> added, BpeVocabulary model, Normalizer? normalizer)
    {
        this.normalizer = normalizer;
        int nextId = model.Count;
        foreach ((AddedToken token, int? declared) in added)
        {
            if (token.Content.Length == 0)
                continue;
            if (!ids.TryGetValue(token.Content, out int id) && !model.TryGetId(token.Content, out id))
            {
                id = declared ?? nextId;
                nextId = Math.Max(nextId, id + 1);
            }
            Add(token, id);
        }
        verbatim = Trie(token => !token.Normalized);
        normalized = Trie(token => token.Normalized);
    }

    public IReadOnlyDictionary<string, int> Ids => ids;

    public bool IsSpecial(int id) => tokens.TryGetValue(id, out AddedToken? token) && token.Special;

    public string? Content(int id) => tokens.TryGetValue(id, out AddedToken? token) ? token.Content : null;

    /// <summary>What the decoder receives for an added token: its normalized form, so that the decoder can undo the normalizer.</summary>
    public string? DecoderInput(int id) => normalizedContents.TryGetValue(id, out string? form) ? form : Content(id);

    /// <summary>Whether decoding with special tokens skipped drops this decoder input; the reference compares texts, not ids.</summary>
    public bool IsSkipped(string decoderInput) => special.Contains(decoderInput);

    public List<TextPiece> Extract(string text)
    {
        List<TextPiece> cut = Split([new TextPiece(text.AsMemory(), null, true)], verbatim);
        if (normalizer is not null)
        {
            for (int i = 0; i < cut.Count; i++)
            {
                if (cut[i].TokenId is null)
                    cut[i] = cut[i] with { Text = normalizer.Normalize(cut[i].Text.ToString()).AsMemory() };
            }
        }
        return Split(cut, normalized);
    }

    private void Add(AddedToken token, int id)
    {
        if (token.Normalized && normalizer is not null)
        {
            string form = normalizer.Normalize(token.Content);
            if (form != token.Content)
                normalizedContents[id] = form;
        }
        ids[token.Content] = id;
        tokens[id] = token;
        if (token.Special)
            special.Add(token.Content);
    }

    private TokenTrie? Trie(Func<AddedToken, bool> belongs)
    {
        List<(string Text, int Id)> entries = [];
        foreach ((int id, AddedToken token) in tokens)
        {
            if (belongs(token))
                entries.Add((token.Normalized ? DecoderInput(id)! : token.Content, id));
        }
        return entries.Count == 0 ? null : new TokenTrie(entries);
    }

    private List<TextPiece> Split(List<TextPiece> pieces, TokenTrie? trie)
    {
        List<TextPiece> result = new(pieces.Count);
        foreach (TextPiece piece in pieces)
        {
            if (piece.TokenId is not null || trie is null)
                AddUnlessEmpty(result, piece);
            else
                Split(piece, trie, result);
        }
        return result;
    }

    private void Split(TextPiece piece, TokenTrie trie, List<TextPiece> result)
    {
        ReadOnlySpan<char> text = piece.Text.Span;
        int done = 0;
        int from = 0;
        while (trie.TryFind(text, from, out int start, out int length, out int id))
        {
            int stop = from = start + length;
            AddedToken token = tokens[id];
            if (token.SingleWord && TouchesWord(text, start, stop))
                continue;
            if (token.StripLeft)
            {
                while (start > done && CodePoints.IsWhiteSpace(text[start - 1]))
                    start--;
                start = Math.Max(start, done);
            }
            if (token.StripRight)
            {
                while (stop < text.Length && CodePoints.IsWhiteSpace(text[stop]))
                    stop++;
            }
            if (done < start)
                result.Add(piece.Slice(done, start - done));
            // White space that the match before has swallowed may leave nothing of a token that is itself white space: it is not there then.
            if (start < stop)
                result.Add(piece.Slice(start, stop - start) with { TokenId = id });
            done = stop;
        }
        if (done < text.Length)
            result.Add(piece.Slice(done, text.Length - done));
    }

    private static bool TouchesWord(ReadOnlySpan<char> text, int start, int stop) =>
        (start > 0 && CodePoints.IsRustWord(CodePoints.At(text, start - CodePoints.LengthBefore(text, start))))
        || (stop < text.Length && CodePoints.IsRustWord(CodePoints.At(text, stop)));

    private static void AddUnlessEmpty(List<TextPiece> pieces, TextPiece piece)
    {
        if (!piece.Text.IsEmpty)
            pieces.Add(piece);
    }
}

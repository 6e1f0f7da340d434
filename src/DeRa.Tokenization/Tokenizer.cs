namespace DeRa.Tokenization;

/// <summary>
/// A model's tokenizer, read from its Hugging Face folder: text to ids, ids to text, special tokens and chat template.
/// Results equal those of huggingface/tokenizers on the same files. Thread-safe.
/// </summary>
public sealed class Tokenizer
{
    private readonly ITokenizerCore core;
    private readonly TokenizerConfig config;

    internal Tokenizer(ITokenizerCore core, TokenizerConfig config)
    {
        this.core = core;
        this.config = config;
        BosId = IdOf(config.BosToken);
        EosId = IdOf(config.EosToken);
        PadId = IdOf(config.PadToken);
        UnkId = IdOf(config.UnkToken);
    }

    /// <summary>How many distinct tokens there are, added tokens included. The model's own vocabulary may be padded beyond it.</summary>
    public int VocabularySize => core.Vocabulary.Count;

    /// <summary>Token → id, added tokens included.</summary>
    public IReadOnlyDictionary<string, int> Vocabulary => core.Vocabulary;

    /// <summary>The token that begins a text, as tokenizer_config.json names it.</summary>
    public string? BosToken => config.BosToken;

    /// <summary>The token that ends a text, as tokenizer_config.json names it.</summary>
    public string? EosToken => config.EosToken;

    /// <summary>The padding token, as tokenizer_config.json names it.</summary>
    public string? PadToken => config.PadToken;

    /// <summary>The token for unknown text, as tokenizer_config.json names it.</summary>
    public string? UnkToken => config.UnkToken;

    /// <summary>The id of <see cref="BosToken"/>.</summary>
    public int? BosId { get; }

    /// <summary>The id of <see cref="EosToken"/>.</summary>
    public int? EosId { get; }

    /// <summary>The id of <see cref="PadToken"/>.</summary>
    public int? PadId { get; }

    /// <summary>The id of <see cref="UnkToken"/>.</summary>
    public int? UnkId { get; }

    /// <summary>The source of the default chat template: chat_template.jinja if present, else tokenizer_config.json's; null if neither has one.</summary>
    public string? ChatTemplate => config.ChatTemplates.GetValueOrDefault(TokenizerConfig.DefaultTemplate);

    /// <summary>All chat templates by name; the default one is named "default".</summary>
    public IReadOnlyDictionary<string, string> ChatTemplates => config.ChatTemplates;

    /// <summary>The variables that chat templates see beside the messages: bos_token, eos_token, … each with its text, where it is set.</summary>
    public IReadOnlyDictionary<string, string> SpecialTokenVariables => config.SpecialTokens;

    /// <summary>The further special tokens of tokenizer_config.json's additional_special_tokens.</summary>
    public IReadOnlyList<string> AdditionalSpecialTokens => config.AdditionalSpecialTokens;

    /// <summary>
    /// Reads the tokenizer of a folder: tokenizer.json; else vocab.json with merges.txt; else tokenizer.model (SentencePiece).
    /// tokenizer_config.json, special_tokens_map.json, added_tokens.json and chat_template.jinja are read where present.
    /// </summary>
    /// <exception cref="TokenizerException">No tokenizer is there, or a file is unreadable, malformed or asks for something unsupported.</exception>
    public static Tokenizer Load(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return TokenizerFolder.Load(folder);
    }

    /// <summary>Turns text into token ids. Text of added tokens is recognised as those tokens; a lone surrogate counts as U+FFFD.</summary>
    /// <param name="text">The text.</param>
    /// <param name="addSpecialTokens">Whether to add what the tokenizer puts around a text, such as BOS.</param>
    /// <exception cref="TokenizerException">The tokenizer's rules do not come to an end within their limits on this text.</exception>
    public int[] Encode(string text, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        return [.. core.Encode(CodePoints.WellFormed(text), addSpecialTokens)];
    }

    /// <summary>Turns token ids into text. Ids outside the vocabulary decode to nothing.</summary>
    /// <param name="ids">The ids.</param>
    /// <param name="skipSpecialTokens">Whether to leave special tokens out.</param>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        TextSink text = new();
        ITokenSink chain = core.StartDecoding(text);
        foreach (int id in ids)
        {
            if (core.DecoderInput(id, skipSpecialTokens) is { } input)
                chain.Write(input, starts: true, ends: true);
        }
        chain.Complete();
        return text.Take();
    }

    /// <summary>A decoder for ids that arrive one at a time.</summary>
    public StreamingDecoder CreateStreamingDecoder(bool skipSpecialTokens = true) => new(core, skipSpecialTokens);

    /// <summary>A token's text as written in the vocabulary, or null for an id outside it.</summary>
    public string? IdToToken(int id) => core.IdToToken(id);

    /// <summary>The id of a token, or null for text that is not a token.</summary>
    public int? TokenToId(string token) => core.Vocabulary.TryGetValue(token, out int id) ? id : null;

    /// <summary>Whether decoding with special tokens skipped leaves this id out.</summary>
    public bool IsSpecial(int id) => core.IsSpecial(id);

    private int? IdOf(string? token) => token is null ? null : TokenToId(token);
}

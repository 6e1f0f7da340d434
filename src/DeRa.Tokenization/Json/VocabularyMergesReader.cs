using System.Text;

namespace DeRa.Tokenization;

/// <summary>
/// Reads the older two-file form: vocab.json and merges.txt hold the byte-level BPE model; the rest follows from the tokenizer's class
/// (Qwen2: NFC and its own split; GPT-2 and its kin: the GPT-2 split).
/// </summary>
internal static class VocabularyMergesReader
{
    /// <summary>The published split of Qwen2, Qwen2.5 and Qwen3 (transformers <c>tokenization_qwen2.py</c>).</summary>
    private const string Qwen2Split =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public static TokenizerPipeline Read(string folder, string vocabularyPath, string mergesPath, TokenizerConfig config)
    {
        BpeVocabulary vocabulary = new(JsonFile.Read(vocabularyPath, JsonFile.LargestTokenizer, TokenizerJsonReader.ReadVocabulary));
        ReadMerges(mergesPath, vocabulary);
        bool isQwen2 = IsQwen2(folder, config);
        Normalizer? normalizer = isQwen2 ? new UnicodeFormNormalizer(NormalizationForm.FormC) : null;
        PreTokenizer preTokenizer = isQwen2
            ? new SequencePreTokenizer(
            [
                new PatternPreTokenizer(TextPattern.Regex(Qwen2Split), SplitBehavior.Isolated, invert: false),
                new ByteLevelPreTokenizer(config.AddPrefixSpace, useRegex: false),
            ])
            : new ByteLevelPreTokenizer(config.AddPrefixSpace, useRegex: true);
        AddedVocabulary added = new(AddedTokens(config), vocabulary, normalizer);
        BpeModel model = new(vocabulary, new BpeOptions());
        return new TokenizerPipeline(added, preTokenizer, model, PostProcessor(config, added, vocabulary), new ByteLevelDecoder());
    }

    private static bool IsQwen2(string folder, TokenizerConfig config)
    {
        if (config.TokenizerClass is { } name)
            return name.StartsWith("Qwen2", StringComparison.Ordinal);
        string modelConfig = Path.Combine(folder, "config.json");
        return File.Exists(modelConfig)
            && JsonFile.Read(modelConfig, JsonFile.LargestConfig, root => root["model_type"].AsOptionalString() ?? "")
                .StartsWith("qwen", StringComparison.Ordinal);
    }

    /// <summary>The declared added tokens, then the special tokens that were only named.</summary>
    private static List<(AddedToken Token, int? Id)> AddedTokens(TokenizerConfig config)
    {
        List<(AddedToken Token, int? Id)> tokens = [.. config.AddedTokens.Select(entry => (entry.Token, (int?)entry.Id))];
        HashSet<string> known = [.. tokens.Select(entry => entry.Token.Content)];
        foreach (string content in config.SpecialTokens.Values.Concat(config.AdditionalSpecialTokens))
        {
            if (known.Add(content))
                tokens.Add((new AddedToken(content, Special: true), null));
        }
        return tokens;
    }

    private static TemplatePostProcessor? PostProcessor(TokenizerConfig config, AddedVocabulary added, BpeVocabulary vocabulary)
    {
        int[] Ids(bool? wanted, string? token) =>
            wanted == true && token is not null && (added.Ids.TryGetValue(token, out int id) || vocabulary.TryGetId(token, out id)) ? [id] : [];

        int[] before = Ids(config.AddBosToken, config.BosToken);
        int[] after = Ids(config.AddEosToken, config.EosToken);
        return before.Length + after.Length == 0 ? null : new TemplatePostProcessor([before, null, after]);
    }

    /// <summary>One merge a line, "left right", in order of rank; the first line may be a "#version" line.</summary>
    private static void ReadMerges(string path, BpeVocabulary vocabulary)
    {
        string text = Encoding.UTF8.GetString(JsonFile.ReadBytes(path, JsonFile.LargestTokenizer));
        int line = 0;
        int rank = 0;
        foreach (ReadOnlySpan<char> raw in text.AsSpan().TrimStart('\uFEFF').EnumerateLines())
        {
            line++;
            if (raw.IsEmpty || raw.StartsWith("#version", StringComparison.Ordinal))
                continue;
            int space = raw.IndexOf(' ');
            if (space < 0 || raw[(space + 1)..].Contains(' '))
                throw new TokenizerException(path, $"line {line}", "two tokens with one space between them", $"\"{raw}\"");
            if (vocabulary.AddMerge(rank, raw[..space], raw[(space + 1)..], prefixLength: 0) is { } missing)
                throw new TokenizerException(path, $"line {line}", "tokens of vocab.json", $"\"{missing}\"");
            rank++;
        }
    }
}

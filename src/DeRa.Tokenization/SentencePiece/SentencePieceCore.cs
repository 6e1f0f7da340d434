namespace DeRa.Tokenization;

/// <summary>A tokenizer.model file without a tokenizer.json beside it.</summary>
internal static class SentencePieceCore
{
    public static ITokenizerCore Read(string path, TokenizerConfig config) =>
        throw new TokenizerException(path, "(format)", "a tokenizer.json beside it", $"none (class {config.TokenizerClass ?? "unknown"})");
}

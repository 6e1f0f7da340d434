namespace DeRa.Tokenization;

/// <summary>Decides which of a folder's files make its tokenizer.</summary>
internal static class TokenizerFolder
{
    private const string FastFile = "tokenizer.json";
    private const string VocabularyFile = "vocab.json";
    private const string MergesFile = "merges.txt";
    private const string SentencePieceFile = "tokenizer.model";

    public static Tokenizer Load(string folder)
    {
        if (!Directory.Exists(folder))
            throw new TokenizerException($"{folder}: expected a folder with a tokenizer, found no folder");
        TokenizerConfig config = TokenizerConfig.Read(folder);
        return new Tokenizer(LoadCore(folder, config), config);
    }

    private static ITokenizerCore LoadCore(string folder, TokenizerConfig config)
    {
        string fast = Path.Combine(folder, FastFile);
        if (File.Exists(fast))
            return TokenizerJsonReader.Read(fast);
        string vocabulary = Path.Combine(folder, VocabularyFile);
        string merges = Path.Combine(folder, MergesFile);
        if (File.Exists(vocabulary) && File.Exists(merges))
            return VocabularyMergesReader.Read(folder, vocabulary, merges, config);
        string sentencePiece = Path.Combine(folder, SentencePieceFile);
        if (File.Exists(sentencePiece))
            return SentencePieceCore.Read(sentencePiece, config);
        throw new TokenizerException($"{folder}: expected {FastFile}, {VocabularyFile} with {MergesFile}, or {SentencePieceFile}, found none of them");
    }
}

namespace DeRa.Tokenization;

/// <summary>Stops files whose chained rewriting rules would blow a text up without end.</summary>
internal static class ExpansionLimit
{
    /// <summary>64 Mi characters: 128 MiB of text in one piece.</summary>
    private const long Longest = 1L << 26;

    public static void Check(long length)
    {
        if (length > Longest)
            throw new TokenizerException($"normalizer, pre_tokenizer: expected text of at most {Longest} characters after rewriting, found {length}");
    }
}

namespace DeRa.Tokenization;

/// <summary>The scalar fields of a tokenizer.json BPE model.</summary>
internal sealed record BpeOptions
{
    /// <summary>Stands for characters that have no token; null drops them.</summary>
    public string? UnknownToken { get; init; }

    /// <summary>Put before every symbol of a word but the first; empty for none.</summary>
    public string ContinuingSubwordPrefix { get; init; } = "";

    /// <summary>Put after the last symbol of a word; empty for none.</summary>
    public string EndOfWordSuffix { get; init; } = "";

    /// <summary>Neighbouring unknown characters share one unknown token.</summary>
    public bool FuseUnknown { get; init; }

    /// <summary>Characters without a token become their UTF-8 bytes' <c>&lt;0xNN&gt;</c> tokens.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>A word that is itself a token is that token, whether or not merges lead there.</summary>
    public bool IgnoreMerges { get; init; }
}

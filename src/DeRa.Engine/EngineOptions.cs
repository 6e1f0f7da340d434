namespace DeRa.Engine;

/// <summary>What an engine loads and how much it may hold.</summary>
public sealed record EngineOptions
{
    /// <summary>Checkpoint folder of the reference model, in Hugging Face's layout.</summary>
    public required string ReferenceFolder { get; init; }

    /// <summary>Checkpoint folder of the aligned model; the reference's folder makes a pair of one model.</summary>
    public required string AlignedFolder { get; init; }

    /// <summary>The pair's text side where it is loaded already; null loads it from the folders.</summary>
    public PairText? Text { get; init; }

    /// <summary>auto, cpu, opencl[:i] or cuda[:i].</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Storage type of the weights on the device; null keeps each checkpoint's own.</summary>
    public DeRa.Kernels.DType? WeightType { get; init; }

    /// <summary>Sequences that decode together; more wait.</summary>
    public int MaxSequences { get; init; } = 64;

    /// <summary>Tokens computed per step, prompts included; longer prompts are prefilled in chunks.</summary>
    public int MaxBatchTokens { get; init; } = 512;

    /// <summary>Positions that the key-value caches of both models can hold, over all sequences.</summary>
    public int CachePositions { get; init; } = 16_384;

    /// <summary>Receives single lines for people: the device chosen and why.</summary>
    public Action<string>? Log { get; init; }
}

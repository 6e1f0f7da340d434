using DeRa.Kernels;

namespace DeRa.Benchmarks;

/// <summary>What the speculate workload runs.</summary>
public sealed record SpeculateOptions
{
    /// <summary>Sequences that decode together, a case each.</summary>
    public IReadOnlyList<int> Batches { get; init; } = [1, 2, 4, 8];

    /// <summary>Tokens of each sequence per run.</summary>
    public int Tokens { get; init; } = 24;

    /// <summary>λ of all.</summary>
    public float Lambda { get; init; } = 0.5f;

    /// <summary>Runs per way.</summary>
    public int Repeats { get; init; } = 5;

    /// <summary>How far the second model of a random pair is from the first.</summary>
    public float Noise { get; init; } = 0.05f;

    /// <summary>Storage of the weights on the device; null keeps the checkpoint's.</summary>
    public DType? WeightType { get; init; }
}

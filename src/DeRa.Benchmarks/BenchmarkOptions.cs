using DeRa.Kernels;

namespace DeRa.Benchmarks;

/// <summary>What to measure.</summary>
public sealed record BenchmarkOptions
{
    /// <summary>Every workload, in the order they run.</summary>
    public static IReadOnlyList<string> AllWorkloads { get; } = ["load", "decode", "prefill", "score", "head", "serve", "speculate"];

    /// <summary>Workloads to run.</summary>
    public IReadOnlyList<string> Workloads { get; init; } = AllWorkloads;

    /// <summary>Ways to measure; a case that offers none of them is left out.</summary>
    public IReadOnlyList<Mode> Modes { get; init; } = Enum.GetValues<Mode>();

    /// <summary>decode: sequences together.</summary>
    public IReadOnlyList<int> Batches { get; init; } = [1, 2, 4, 8, 16, 64];

    /// <summary>decode: positions that each sequence has in the cache.</summary>
    public int Context { get; init; } = 128;

    /// <summary>prefill: tokens of the prompt.</summary>
    public IReadOnlyList<int> PromptLengths { get; init; } = [128, 512, 2048];

    /// <summary>score: numbers of λ.</summary>
    public IReadOnlyList<int> LambdaCounts { get; init; } = [1, 5, 21];

    /// <summary>score: tokens of the text.</summary>
    public int ScoredTokens { get; init; } = 256;

    /// <summary>head: rows of the output matrices.</summary>
    public IReadOnlyList<int> Vocabularies { get; init; } = [32_000, 128_000, 256_000];

    /// <summary>head: hidden states.</summary>
    public IReadOnlyList<int> Rows { get; init; } = [1, 16, 256];

    /// <summary>prefill: whether OpenBLAS computes the same projections beside it.</summary>
    public bool OpenBlasPeer { get; init; }

    /// <summary>How often each way is timed.</summary>
    public int Repeats { get; init; } = 5;

    /// <summary>Storage of the weights on the device; null keeps the checkpoint's.</summary>
    public DType? WeightType { get; init; }
}

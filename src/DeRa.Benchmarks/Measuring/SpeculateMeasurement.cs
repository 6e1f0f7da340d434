namespace DeRa.Benchmarks;

/// <summary>One way to decode in one case of the speculate workload.</summary>
public sealed record SpeculateMeasurement
{
    /// <summary>speculate.</summary>
    public string Workload { get; } = "speculate";

    /// <summary>Where it ran.</summary>
    public required string Device { get; init; }

    /// <summary>The pair.</summary>
    public required string Model { get; init; }

    /// <summary>Sequences that decode together.</summary>
    public required int Batch { get; init; }

    /// <summary>plain, coupled or ratio.</summary>
    public required string Mode { get; init; }

    /// <summary>Tokens put out per run, all sequences together.</summary>
    public required int Tokens { get; init; }

    /// <summary>Runs.</summary>
    public required int Repeats { get; init; }

    /// <summary>Median of the runs.</summary>
    public required double MedianSeconds { get; init; }

    /// <summary>Fastest run.</summary>
    public required double MinSeconds { get; init; }

    /// <summary>Slowest run.</summary>
    public required double MaxSeconds { get; init; }

    /// <summary>Share of judged drafts that stood; null without drafts.</summary>
    public required double? Acceptance { get; init; }

    /// <summary>Model passes per token of speculative steps; 2 without drafts.</summary>
    public required double PassesPerToken { get; init; }

    /// <summary>Plain decoding's median of the same case ÷ this one.</summary>
    public required double Speedup { get; init; }

    /// <summary>Tokens per second.</summary>
    public double TokensPerSecond => Tokens / MedianSeconds;
}

namespace DeRa.Benchmarks;

/// <summary>What one case of the serve workload took.</summary>
public sealed record ServeMeasurement
{
    /// <summary>serve.</summary>
    public string Workload { get; } = "serve";

    /// <summary>Where it ran.</summary>
    public required string Device { get; init; }

    /// <summary>The pair.</summary>
    public required string Model { get; init; }

    /// <summary>Requests open at any time; null where they arrive at random.</summary>
    public int? Concurrency { get; init; }

    /// <summary>Mean arrivals per second; null where a number is kept open.</summary>
    public double? Rate { get; init; }

    /// <summary>Requests served.</summary>
    public required int Requests { get; init; }

    /// <summary>Tokens of their prompts.</summary>
    public required long PromptTokens { get; init; }

    /// <summary>Tokens put out.</summary>
    public required long GeneratedTokens { get; init; }

    /// <summary>From the first arrival to the last token.</summary>
    public required double Seconds { get; init; }

    /// <summary>Tokens put out per second, all requests together.</summary>
    public double TokensPerSecond => GeneratedTokens / Seconds;

    /// <summary>From a request's arrival to its first token.</summary>
    public required Percentiles TimeToFirstToken { get; init; }

    /// <summary>Mean time between the tokens of a request.</summary>
    public required Percentiles TimePerOutputToken { get; init; }

    /// <summary>From a request's arrival to its last token.</summary>
    public required Percentiles Latency { get; init; }

    /// <summary>Steps that the engine took.</summary>
    public required long Steps { get; init; }

    /// <summary>Tokens that a model did not have to run over.</summary>
    public required long PrefixHitTokens { get; init; }

    /// <summary>Times that a running sequence gave way to another.</summary>
    public required long Preemptions { get; init; }

    /// <summary>The case in words.</summary>
    public string CaseLabel => FormattableString.Invariant($"{(Concurrency is int open ? $"{open} at a time" : $"{Rate} a second")}");
}

/// <summary>Where a figure lies among the requests of a case, in seconds.</summary>
/// <param name="P50">Half of the requests took no longer.</param>
/// <param name="P90">Nine of ten took no longer.</param>
/// <param name="P99">99 of 100 took no longer.</param>
public sealed record Percentiles(double P50, double P90, double P99)
{
    /// <summary>The smallest value that the share of all values does not exceed.</summary>
    public static Percentiles Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? new Percentiles(double.NaN, double.NaN, double.NaN) : new Percentiles(At(0.5), At(0.9), At(0.99));

        double At(double share) => sorted[Math.Max(0, (int)Math.Ceiling(share * sorted.Length) - 1)];
    }
}

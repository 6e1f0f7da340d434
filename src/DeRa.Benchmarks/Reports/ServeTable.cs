using System.Globalization;

namespace DeRa.Benchmarks;

/// <summary>The columns of the serve workload; times in milliseconds.</summary>
public static class ServeTable
{
    /// <summary>Column titles.</summary>
    public static IReadOnlyList<string> Titles { get; } =
        ["requests", "tok/s", "first token p50", "p90", "p99", "per token p50", "p90", "p99", "whole p50", "p99", "preempted"];

    /// <summary>A case's cells.</summary>
    public static IReadOnlyList<string> Cells(ServeMeasurement measurement)
    {
        ArgumentNullException.ThrowIfNull(measurement);
        return
        [
            measurement.CaseLabel,
            measurement.TokensPerSecond.ToString(measurement.TokensPerSecond < 100 ? "0.0" : "0", CultureInfo.InvariantCulture),
            Milliseconds(measurement.TimeToFirstToken.P50),
            Milliseconds(measurement.TimeToFirstToken.P90),
            Milliseconds(measurement.TimeToFirstToken.P99),
            Milliseconds(measurement.TimePerOutputToken.P50),
            Milliseconds(measurement.TimePerOutputToken.P90),
            Milliseconds(measurement.TimePerOutputToken.P99),
            Milliseconds(measurement.Latency.P50),
            Milliseconds(measurement.Latency.P99),
            measurement.Preemptions.ToString(CultureInfo.InvariantCulture),
        ];
    }

    /// <summary>Tokens per second, and times to the first token from the median to the slowest of a hundred.</summary>
    internal static IReadOnlyList<BarGroup> Bars(IReadOnlyList<ServeMeasurement> measurements) =>
    [
        new("tokens per second", [.. measurements.Select(one => new Bar(
            one.CaseLabel, "fused", one.TokensPerSecond, 0, 0, null, Figures.Rate(one.TokensPerSecond, "tok/s")))]),
        new("time to the first token: median, whisker to p99", [.. measurements.Select(one => new Bar(
            one.CaseLabel, "fused", one.TimeToFirstToken.P50, one.TimeToFirstToken.P50, one.TimeToFirstToken.P99, null, Figures.Time(one.TimeToFirstToken.P50)))]),
        new("time per token: median, whisker to p99", [.. measurements.Select(one => new Bar(
            one.CaseLabel, "fused", one.TimePerOutputToken.P50, one.TimePerOutputToken.P50, one.TimePerOutputToken.P99, null, Figures.Time(one.TimePerOutputToken.P50)))]),
    ];

    private static string Milliseconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:0.0} ms");
}

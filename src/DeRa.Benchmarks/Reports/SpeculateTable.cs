using System.Globalization;

namespace DeRa.Benchmarks;

/// <summary>The columns of the speculate workload.</summary>
public static class SpeculateTable
{
    /// <summary>Column titles.</summary>
    public static IReadOnlyList<string> Titles { get; } = ["batch", "mode", "median", "spread", "tok/s", "acceptance", "passes/token", "to plain"];

    /// <summary>A measurement's cells; the spread is half the range of the runs as a share of the median.</summary>
    public static IReadOnlyList<string> Cells(SpeculateMeasurement measurement)
    {
        ArgumentNullException.ThrowIfNull(measurement);
        return
        [
            measurement.Batch.ToString(CultureInfo.InvariantCulture),
            measurement.Mode,
            Figures.Time(measurement.MedianSeconds),
            string.Create(CultureInfo.InvariantCulture, $"± {50 * (measurement.MaxSeconds - measurement.MinSeconds) / measurement.MedianSeconds:F0} %"),
            Figures.PerSecond(measurement.TokensPerSecond),
            Figures.Percent(measurement.Acceptance),
            measurement.PassesPerToken.ToString("F2", CultureInfo.InvariantCulture),
            string.Create(CultureInfo.InvariantCulture, $"{measurement.Speedup:F2} ×"),
        ];
    }

    /// <summary>Time of a run, a group per batch.</summary>
    internal static IReadOnlyList<BarGroup> Bars(IReadOnlyList<SpeculateMeasurement> measurements) =>
    [
        .. measurements.GroupBy(one => one.Batch).Select(batch => new BarGroup(
            string.Create(CultureInfo.InvariantCulture, $"batch {batch.Key}, {batch.First().Tokens} tokens"),
            [.. batch.Select(one => new Bar(
                one.Mode, one.Acceptance is null ? "single" : "fused", one.MedianSeconds, one.MinSeconds, one.MaxSeconds, null,
                Figures.Time(one.MedianSeconds) + (one.Acceptance is null ? "" : string.Create(CultureInfo.InvariantCulture, $", {one.Speedup:F2} × plain"))))])),
    ];
}

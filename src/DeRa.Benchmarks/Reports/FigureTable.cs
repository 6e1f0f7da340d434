using System.Globalization;

namespace DeRa.Benchmarks;

/// <summary>The columns of a workload's table, the same on a terminal and on a page.</summary>
public static class FigureTable
{
    /// <summary>Column titles.</summary>
    public static IReadOnlyList<string> Titles { get; } =
        ["case", "mode", "median", "range", "tok/s", "B/tok", "FLOP/tok", "GB/s", "GFLOP/s", "floor", "of floor", "launches", "peak mem", "fusion"];

    /// <summary>A measurement's cells.</summary>
    public static IReadOnlyList<string> Cells(Measurement measurement)
    {
        ArgumentNullException.ThrowIfNull(measurement);
        return
        [
            measurement.CaseLabel,
            measurement.Mode.Label(),
            Figures.Time(measurement.MedianSeconds),
            $"{Figures.Time(measurement.MinSeconds)} – {Figures.Time(measurement.MaxSeconds)}",
            measurement.TokensPerSecond?.ToString("G4", CultureInfo.InvariantCulture) ?? "–",
            Figures.Rate(measurement.BytesPerToken, "B"),
            Figures.Rate(measurement.FlopsPerToken, ""),
            Share(measurement.BytesPerSecond / 1e9, measurement.ShareOfBandwidth),
            Share(measurement.FlopsPerSecond / 1e9, measurement.ShareOfPeak),
            measurement.FloorSeconds is null ? "–" : $"{Figures.Time(measurement.FloorSeconds)} {(measurement.Bound == Bound.Memory ? "mem" : "fma")}",
            Figures.Percent(measurement.ShareOfFloor),
            measurement.LaunchesPerRun.ToString(CultureInfo.InvariantCulture),
            Figures.Rate(measurement.PeakMemoryBytes, "B"),
            Figures.Gain(measurement.Fusion),
        ];
    }

    /// <summary>What the cases say about fusion, a line per kind of outcome; empty where nothing was compared.</summary>
    public static IEnumerable<string> Verdicts(IEnumerable<Measurement> measurements) => measurements
        .Where(measurement => measurement.Fusion is not null)
        .GroupBy(measurement => (measurement.Mode, measurement.Fusion!.Verdict))
        .OrderBy(group => group.Key)
        .Select(group => $"{group.Key.Mode.Label()} {Words(group.Key.Verdict)}: {string.Join("; ", group.Select(m => m.CaseLabel))}");

    private static string Words(FusionVerdict verdict) => verdict switch
    {
        FusionVerdict.Faster => "is faster than naive",
        FusionVerdict.Slower => "does not pay, naive is faster",
        _ => "does not pay beyond the spread",
    };

    private static string Share(double? value, double? share) => value is null
        ? "–"
        : string.Create(CultureInfo.InvariantCulture, $"{value:F1}{(share is null ? "" : $" ({100 * share:F0} %)")}");
}

using System.Globalization;

namespace DeRa.Benchmarks;

/// <summary>The columns of a workload's table: all of them for a page, the essential ones for a terminal.</summary>
public static class FigureTable
{
    /// <summary>Column titles.</summary>
    public static IReadOnlyList<string> Titles { get; } =
        ["case", "mode", "median", "range", "tok/s", "B/tok", "FLOP/tok", "GB/s", "GFLOP/s", "floor", "of floor", "launches", "peak mem", "fusion"];

    /// <summary>Column titles of the narrow table.</summary>
    public static IReadOnlyList<string> EssentialTitles { get; } =
        ["case", "mode", "median", "spread", "tok/s", "GB/s", "GFLOP/s", "of floor", "launches", "to naive"];

    /// <summary>A measurement's cells in the narrow table; the spread is half the range of the repeats as a share of the median.</summary>
    public static IReadOnlyList<string> EssentialCells(Measurement measurement)
    {
        ArgumentNullException.ThrowIfNull(measurement);
        return
        [
            measurement.CaseLabel,
            measurement.Way,
            Figures.Time(measurement.MedianSeconds),
            string.Create(CultureInfo.InvariantCulture, $"± {50 * (measurement.MaxSeconds - measurement.MinSeconds) / measurement.MedianSeconds:F0} %"),
            Figures.PerSecond(measurement.TokensPerSecond),
            Share(measurement.BytesPerSecond / 1e9, measurement.ShareOfBandwidth),
            Share(measurement.FlopsPerSecond / 1e9, measurement.ShareOfPeak),
            Figures.Percent(measurement.ShareOfFloor),
            measurement.LaunchesPerRun.ToString(CultureInfo.InvariantCulture),
            measurement.Fusion is { } gain ? string.Create(CultureInfo.InvariantCulture, $"{gain.Speedup:F2} ×") : "–",
        ];
    }

    /// <summary>A measurement's cells.</summary>
    public static IReadOnlyList<string> Cells(Measurement measurement)
    {
        ArgumentNullException.ThrowIfNull(measurement);
        return
        [
            measurement.CaseLabel,
            measurement.Way,
            Figures.Time(measurement.MedianSeconds),
            $"{Figures.Time(measurement.MinSeconds)} – {Figures.Time(measurement.MaxSeconds)}",
            Figures.PerSecond(measurement.TokensPerSecond),
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
        .GroupBy(measurement => (measurement.Mode, measurement.Way, measurement.Fusion!.Verdict))
        .OrderBy(group => group.Key)
        .Select(group => $"{group.Key.Way} {Words(group.Key.Verdict)}: {string.Join("; ", group.Select(m => m.CaseLabel))}");

    /// <summary>Everything there is to say of a workload's measurements.</summary>
    public static IEnumerable<string> Conclusions(IReadOnlyCollection<Measurement> measurements) =>
        [.. Verdicts(measurements), .. PeerVerdicts(measurements), .. DeviceVerdicts(measurements)];

    /// <summary>How the engine's operations per second compare with the peer's, a line per case that has one.</summary>
    public static IEnumerable<string> PeerVerdicts(IReadOnlyCollection<Measurement> measurements) =>
        from peer in measurements
        where peer.Mode == Mode.OpenBlas
        let way = measurements.FirstOrDefault(other => other.Case == peer.Case && other.ShareOfPeer is not null)
        where way is not null
        select string.Create(
            CultureInfo.InvariantCulture,
            $"{way.Way} does {way.ShareOfPeer:F2} × the FLOP/s of OpenBLAS's float32 products of the same projections: {way.CaseLabel}");

    /// <summary>How the two devices of a run compare, a line per mode.</summary>
    public static IEnumerable<string> DeviceVerdicts(IEnumerable<Measurement> measurements) => measurements
        .Where(measurement => measurement.Against is not null)
        .GroupBy(measurement => (measurement.Mode, measurement.Device, measurement.Against!.Device))
        .OrderBy(group => group.Key.Mode)
        .Select(group => $"{group.Key.Mode.Label()} on {group.Key.Item2}, as a share of the speed of {group.Key.Item3}: "
            + string.Join("; ", group.Select(m => $"{Figures.Percent(m.Against!.Speed)} at {m.CaseLabel}")));

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

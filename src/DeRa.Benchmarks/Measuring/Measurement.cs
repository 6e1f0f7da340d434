using System.Text.Json.Serialization;

namespace DeRa.Benchmarks;

/// <summary>One way of one case, measured. Seconds and counts are per run (one step, one prompt, one text, one load).</summary>
public sealed record Measurement
{
    /// <param name="case">The case.</param>
    /// <param name="variant">The way.</param>
    /// <param name="timing">Its times.</param>
    /// <param name="rounds">The device's ceilings at each repeat.</param>
    internal Measurement(Case @case, Variant variant, Timing timing, IReadOnlyList<DeviceCeilings> rounds)
    {
        (Case, PerRun) = (@case.Description, @case.Tokens);
        (Mode, Moved, Needed) = (variant.Mode, variant.Moved, variant.Needed);
        (MedianSeconds, MinSeconds, MaxSeconds, LaunchesPerRun) = (timing.Median, timing.Min, timing.Max, timing.LaunchesPerRun);
        Ceilings = DeviceCeilings.MedianOf(rounds);
        if (HasWork)
        {
            ShareOfBandwidth = Share((round, seconds) => Moved.Bytes / seconds / round.ReadBytesPerSecond);
            ShareOfPeak = Share((round, seconds) => Moved.Flops / seconds / round.FlopsPerSecond);
            ShareOfFloor = Share((round, seconds) => round.FloorSeconds(Needed) / seconds);
        }

        double? Share(Func<DeviceCeilings, double, double?> share)
        {
            double?[] shares = [.. rounds.Zip(timing.Seconds, share)];
            return shares.Contains(null) ? null : Median.Of(shares.Select(value => value!.Value));
        }
    }

    /// <summary>The device, as <c>--device</c> names it.</summary>
    public required string Device { get; init; }

    /// <summary>The pair.</summary>
    public required string Model { get; init; }

    /// <summary>The case.</summary>
    [JsonIgnore]
    public CaseDescription Case { get; }

    /// <summary>decode, prefill, score, head or load.</summary>
    public string Workload => Case.Workload;

    /// <summary>The case in words.</summary>
    [JsonPropertyName("case")]
    public string CaseLabel => Case.Label;

    /// <summary>Sequences that decode together.</summary>
    public int? Batch => Case.Batch;

    /// <summary>Positions in the cache before the step.</summary>
    public int? Context => Case.Context;

    /// <summary>Tokens of the prompt or text.</summary>
    public int? Tokens => Case.Tokens;

    /// <summary>Number of λ.</summary>
    public int? Lambdas => Case.Lambdas;

    /// <summary>Rows of the output matrices.</summary>
    public int? Vocabulary => Case.Vocabulary;

    /// <summary>Hidden states projected.</summary>
    public int? Rows => Case.Rows;

    /// <summary>Which way.</summary>
    public Mode Mode { get; }

    /// <summary>How often it was timed.</summary>
    public required int Repeats { get; init; }

    /// <summary>Median of the repeats.</summary>
    public double MedianSeconds { get; }

    /// <summary>Fastest repeat.</summary>
    public double MinSeconds { get; }

    /// <summary>Slowest repeat.</summary>
    public double MaxSeconds { get; }

    /// <summary>Tokens (head: rows) per second; null where there are none.</summary>
    public double? TokensPerSecond => PerRun > 0 ? PerRun / MedianSeconds : null;

    /// <summary>Bytes moved, stored logits included.</summary>
    public long? Bytes => HasWork ? Moved.Bytes : null;

    /// <summary>Floating-point operations.</summary>
    public long? Flops => HasWork ? Moved.Flops : null;

    /// <summary>Bytes per token.</summary>
    public double? BytesPerToken => HasWork && PerRun > 0 ? (double)Moved.Bytes / PerRun : null;

    /// <summary>Operations per token.</summary>
    public double? FlopsPerToken => HasWork && PerRun > 0 ? (double)Moved.Flops / PerRun : null;

    /// <summary>Bytes moved per second.</summary>
    public double? BytesPerSecond => HasWork ? Moved.Bytes / MedianSeconds : null;

    /// <summary>Operations per second.</summary>
    public double? FlopsPerSecond => HasWork ? Moved.Flops / MedianSeconds : null;

    /// <summary>
    /// Bytes per second as a share of the read bandwidth, each repeat's of the bandwidth measured just before it; the median. May exceed 1 where caches hold the
    /// working set.
    /// </summary>
    public double? ShareOfBandwidth { get; }

    /// <summary>Operations per second as a share of the FMA peak, likewise.</summary>
    public double? ShareOfPeak { get; }

    /// <summary>The least time the task can take on this device, stored logits left out.</summary>
    public double? FloorSeconds => HasWork ? Ceilings.FloorSeconds(Needed) : null;

    /// <summary>Floor ÷ time, each repeat's by the ceilings measured just before it; the median. 1 is the floor.</summary>
    public double? ShareOfFloor { get; }

    /// <summary>Which ceiling the floor comes from.</summary>
    public Bound? Bound => HasWork ? Ceilings.BoundOf(Needed) : null;

    /// <summary>Launches issued to the device.</summary>
    public long LaunchesPerRun { get; }

    /// <summary>Most memory the process held while this case was measured, all ways together.</summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>What fusion gains over naive in this case; null for ways without fusion.</summary>
    public FusionGain? Fusion { get; init; }

    /// <summary>
    /// <see cref="FlopsPerSecond"/> ÷ that of the peer's matrix products in the same case; null where there is none, and for the peer itself.
    /// </summary>
    public double? ShareOfPeer { get; init; }

    /// <summary>How fast this is beside the other device of the run, the same mode of the same case; null where there is none.</summary>
    public DeviceComparison? Against { get; init; }

    /// <summary>Whether the run has two devices, so that a mode alone does not say which way it was.</summary>
    [JsonIgnore]
    public bool IsOneOfTwoDevices { get; init; }

    /// <summary>The mode, with its device where the run has two.</summary>
    [JsonIgnore]
    public string Way => IsOneOfTwoDevices && Mode != Mode.OpenBlas ? $"{Mode.Label()}, {Device}" : Mode.Label();

    /// <summary>Tokens (head: rows) per run.</summary>
    [JsonIgnore]
    public int PerRun { get; }

    /// <summary>What was moved and computed.</summary>
    [JsonIgnore]
    public Work Moved { get; }

    /// <summary>What the task needs.</summary>
    [JsonIgnore]
    public Work Needed { get; }

    /// <summary>Bytes that the device read per second, a processor just before each repeat (the median); null where it was not measured.</summary>
    public double? CeilingBytesPerSecond => Ceilings.ReadBytesPerSecond;

    /// <summary>Operations that it did per second, likewise; null where it was not measured.</summary>
    public double? CeilingFlopsPerSecond => Ceilings.FlopsPerSecond;

    /// <summary>The ceilings of the case.</summary>
    [JsonIgnore]
    public DeviceCeilings Ceilings { get; }

    private bool HasWork => Moved.Bytes > 0;
}

/// <summary>A mode on one device beside the same on another, timed in turn.</summary>
/// <param name="Device">The other device.</param>
/// <param name="Speed">The other's median ÷ this one's: 0.7 is 70 % of its speed.</param>
public sealed record DeviceComparison(string Device, double Speed);

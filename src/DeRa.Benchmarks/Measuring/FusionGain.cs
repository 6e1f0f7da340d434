using System.Text.Json.Serialization;

namespace DeRa.Benchmarks;

/// <summary>Whether a fused way is worth it in a case.</summary>
/// <param name="Speedup">Naive's median ÷ this way's.</param>
/// <param name="Verdict">What the repeats allow to say.</param>
public sealed record FusionGain(double Speedup, FusionVerdict Verdict)
{
    /// <summary>Compares by whole ranges: a gain or a loss is claimed only where every repeat of one is faster than every repeat of the other.</summary>
    internal static FusionGain Of(Timing fused, Timing naive) => new(
        naive.Median / fused.Median,
        fused.Max < naive.Min ? FusionVerdict.Faster : naive.Max < fused.Min ? FusionVerdict.Slower : FusionVerdict.NoDifference);
}

/// <summary>What the repeats allow to say of a fused way beside naive.</summary>
public enum FusionVerdict
{
    /// <summary>Every repeat was faster than every one of naive.</summary>
    [JsonStringEnumMemberName("faster")]
    Faster,

    /// <summary>The ranges overlap: no gain beyond the spread.</summary>
    [JsonStringEnumMemberName("no-difference")]
    NoDifference,

    /// <summary>Every repeat was slower.</summary>
    [JsonStringEnumMemberName("slower")]
    Slower,
}

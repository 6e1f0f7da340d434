using System.Text.Json.Serialization;

namespace DeRa.Benchmarks;

/// <summary>Ways to do the same work, measured side by side.</summary>
public enum Mode
{
    /// <summary>One model, no realignment: what a pair can at best cost twice of.</summary>
    [JsonStringEnumMemberName("single")]
    Single,

    /// <summary>
    /// Realignment without fusion: one model's forward pass and logits, the other's, the mixture, softmax and draw, each run on its own and every logit
    /// stored.
    /// </summary>
    [JsonStringEnumMemberName("naive")]
    Naive,

    /// <summary>Both models in one step with the fused head.</summary>
    [JsonStringEnumMemberName("fused")]
    Fused,

    /// <summary>As fused, both models having one output matrix, which is projected once.</summary>
    [JsonStringEnumMemberName("fused-shared-head")]
    FusedSharedHead,

    /// <summary>Both models, where the ways above do not differ (loading).</summary>
    [JsonStringEnumMemberName("pair")]
    Pair,

    /// <summary>OpenBLAS: the float32 matrix products of one model's projections and nothing else; a peer, not a way of the engine.</summary>
    [JsonStringEnumMemberName("openblas")]
    OpenBlas,
}

/// <summary>Names of modes in tables.</summary>
public static class Modes
{
    /// <summary>As in JSON.</summary>
    public static string Label(this Mode mode) => mode switch
    {
        Mode.Single => "single",
        Mode.Naive => "naive",
        Mode.Fused => "fused",
        Mode.FusedSharedHead => "fused-shared-head",
        Mode.OpenBlas => "openblas",
        _ => "pair",
    };
}

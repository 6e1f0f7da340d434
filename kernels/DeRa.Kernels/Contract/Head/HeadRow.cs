using System.Runtime.InteropServices;

namespace DeRa.Kernels;

/// <summary>
/// How one row of a batch is realigned and sampled; blittable, 64 bytes. The definition that every implementation follows:
/// <list type="number">
/// <item>z = (1 − λ)·z_reference + λ·z_aligned, after each model's own soft cap.</item>
/// <item>Adjustments per listed token: repetition penalty ρ for tokens in context (z &gt; 0 ? z/ρ : z·ρ), then
/// z −= presence·[n &gt; 0] + frequency·n for n earlier outputs of the token, then z += bias. The result is z′.</item>
/// <item>Temperature 0: argmax z′, the lowest id among equals. Otherwise s = z′/T.</item>
/// <item>Top-k: keep s ≥ the k-th largest (equals kept). Top-p: of those, renormalised, keep v while the mass of strictly larger s is below p.
/// Min-p: of those, keep s ≥ max s + ln(minP). All exact for every value.</item>
/// <item>token = argmax over the kept of s + g, with Gumbel noise g keyed by (Seed, Stream, Position, token id), see <see cref="GumbelNoise"/>; the
/// lowest id among equals.</item>
/// </list>
/// Reported log-probabilities and KL are those of the plain mixture softmax(z): without adjustments, temperature or cuts.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct HeadRow
{
    /// <summary>λ of the mixture; 0 is the reference, 1 the aligned model, more extrapolates.</summary>
    public float Lambda;

    /// <summary>0 is greedy.</summary>
    public float Temperature;

    /// <summary>Tokens kept; 0 keeps all.</summary>
    public int TopK;

    /// <summary>Mass kept; 1 keeps all.</summary>
    public float TopP;

    /// <summary>Least probability kept, relative to the most likely token's; 0 keeps all.</summary>
    public float MinP;

    /// <summary>ρ; 1 changes nothing.</summary>
    public float RepetitionPenalty;

    /// <summary>Subtracted once from tokens that were put out before.</summary>
    public float PresencePenalty;

    /// <summary>Subtracted for each earlier output of a token.</summary>
    public float FrequencyPenalty;

    /// <summary>Low word of the request's seed.</summary>
    public uint SeedLow;

    /// <summary>High word of the request's seed.</summary>
    public uint SeedHigh;

    /// <summary>Tells sequences of one seed apart (the sample's index); equal streams share their noise.</summary>
    public uint Stream;

    /// <summary>Position of the token being drawn.</summary>
    public int Position;

    /// <summary>First entry of this row in the adjustments.</summary>
    public int AdjustmentStart;

    /// <summary>Number of entries, in ascending order of token id, each id once.</summary>
    public int AdjustmentCount;

    /// <summary>How many of the most likely tokens under the mixture to report, at most <see cref="HeadLimits.MaxTopTokens"/>.</summary>
    public int TopTokens;

    /// <summary>Keeps the size a multiple of 16 bytes; always 0.</summary>
    public int Reserved;

    /// <summary>Greedy decoding at one λ, nothing adjusted.</summary>
    public static HeadRow Greedy(float lambda) => new() { Lambda = lambda, TopP = 1, RepetitionPenalty = 1 };
}

/// <summary>What a row knows about one token beside its logit; blittable, 16 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct TokenAdjustment
{
    /// <summary>The token.</summary>
    public int TokenId;

    /// <summary>1 if the token occurs in the prompt or the output so far, else 0.</summary>
    public int InContext;

    /// <summary>How often the token was put out so far.</summary>
    public int OutputCount;

    /// <summary>Added to the logit; −∞ forbids the token.</summary>
    public float Bias;
}

/// <summary>Bounds that callers of the head check at their boundary.</summary>
public static class HeadLimits
{
    /// <summary>Most tokens reported per row.</summary>
    public const int MaxTopTokens = 32;
}

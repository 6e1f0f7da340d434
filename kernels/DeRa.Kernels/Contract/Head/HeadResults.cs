using System.Runtime.InteropServices;

namespace DeRa.Kernels;

/// <summary>What the head says of one row; blittable, 32 bytes. Natural logarithms. NaN where the model was not run.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct HeadResult
{
    /// <summary>The token drawn.</summary>
    public int Token;

    /// <summary>log p_λ(token).</summary>
    public float LogProb;

    /// <summary>log p_reference(token).</summary>
    public float LogProbReference;

    /// <summary>log p_aligned(token).</summary>
    public float LogProbAligned;

    /// <summary>KL(p_λ ‖ p_reference) of the distribution that the token was drawn from.</summary>
    public float KlReference;

    /// <summary>KL(p_λ ‖ p_aligned).</summary>
    public float KlAligned;

    /// <summary>Entries filled for this row in the top tokens.</summary>
    public int TopCount;

    /// <summary>1 if the cut (top-k, top-p, min-p) needed more than the first sweep over the vocabulary.</summary>
    public int ExtraSweeps;
}

/// <summary>One of the most likely tokens of a row: most likely first, the lower id among equals.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct TopToken
{
    /// <summary>The token.</summary>
    public int TokenId;

    /// <summary>log p_λ(token).</summary>
    public float LogProb;
}

/// <summary>
/// Statistics of one row under one λ after a sweep over the vocabulary; blittable. With z = (1 − λ)·z_r + λ·z_a and d = z_a − z_r:
/// the largest z, Σ e^(z − Max) and Σ e^(z − Max)·d.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct ScoreStatistic
{
    /// <summary>max_v z_v.</summary>
    public float Max;

    /// <summary>Σ_v e^(z_v − Max).</summary>
    public float Sum;

    /// <summary>Σ_v e^(z_v − Max)·(z_a,v − z_r,v).</summary>
    public float WeightedDifference;
}

/// <summary>Logits of one row's target token under both models.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct TargetLogits
{
    /// <summary>z_r of the target.</summary>
    public float Reference;

    /// <summary>z_a of the target.</summary>
    public float Aligned;
}

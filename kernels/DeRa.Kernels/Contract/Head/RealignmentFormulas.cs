namespace DeRa.Kernels;

/// <summary>What one position says under one λ. Natural logarithms.</summary>
/// <param name="LogProbability">log p_λ(y) of the target token.</param>
/// <param name="LogNormalizer">A(λ) = log Σ_v p_r(v)·e^(λΔ_v), 0 at λ = 0 and λ = 1.</param>
/// <param name="KlReference">KL(p_λ ‖ p_r).</param>
/// <param name="KlAligned">KL(p_λ ‖ p_a).</param>
public readonly record struct RealignmentValues(double LogProbability, double LogNormalizer, double KlReference, double KlAligned);

/// <summary>
/// Closed forms of decoding-time realignment from the statistics of one sweep (Liu et al., arXiv 2402.02992), in float64. With
/// z = (1 − λ)·z_r + λ·z_a, log Z = log Σ e^z, d = z_a − z_r and Δ = log p_a − log p_r = d − (log Z_a − log Z_r):
/// <code>
/// A(λ)          = log Z_λ − (1 − λ)·log Z_r − λ·log Z_a
/// A′(λ)         = E_λ[Δ]
/// log p_λ(y)    = (1 − λ)·z_r(y) + λ·z_a(y) − log Z_λ
/// KL(p_λ ‖ p_r) = λ·A′(λ) − A(λ)
/// KL(p_λ ‖ p_a) = (λ − 1)·A′(λ) − A(λ)
/// </code>
/// </summary>
public static class RealignmentFormulas
{
    /// <summary>log Σ_v e^(z_v).</summary>
    public static double LogSum(ScoreStatistic statistic) => statistic.Max + Math.Log(statistic.Sum);

    /// <summary>E_λ[z_a − z_r].</summary>
    public static double MeanDifference(ScoreStatistic statistic) => (double)statistic.WeightedDifference / statistic.Sum;

    /// <summary>Likelihood, normaliser and both divergences of one position.</summary>
    /// <param name="lambda">λ of <paramref name="mixture"/>.</param>
    /// <param name="mixture">Statistics under λ.</param>
    /// <param name="reference">Statistics under λ = 0.</param>
    /// <param name="aligned">Statistics under λ = 1.</param>
    /// <param name="target">Logits of the target token.</param>
    public static RealignmentValues At(
        double lambda, ScoreStatistic mixture, ScoreStatistic reference, ScoreStatistic aligned, TargetLogits target)
    {
        double logZ = LogSum(mixture), logZReference = LogSum(reference), logZAligned = LogSum(aligned);
        double normalizer = logZ - (1 - lambda) * logZReference - lambda * logZAligned;
        double slope = MeanDifference(mixture) - (logZAligned - logZReference);
        return new RealignmentValues(
            (1 - lambda) * target.Reference + lambda * target.Aligned - logZ,
            normalizer,
            Divergence(lambda * slope - normalizer),
            Divergence((lambda - 1) * slope - normalizer));
    }

    /// <summary>A divergence is never negative: what is below 0 got there by rounding, and −0 becomes 0. NaN stays NaN.</summary>
    private static double Divergence(double value) => value <= 0 ? 0 : value;
}

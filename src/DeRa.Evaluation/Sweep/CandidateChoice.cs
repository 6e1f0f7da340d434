namespace DeRa.Evaluation;

/// <summary>
/// Chooses among candidates y_k drawn per token, with probability proportional to e^{ΣA(y_k)}: importance resampling from what decoding samples, Π p_λ,
/// to the sequence-level mixture p_r^{1−λ}·p_a^λ (paper, eq. 5), exact as candidates grow many.
/// </summary>
internal static class CandidateChoice
{
    /// <summary>The choice, by the Gumbel-max trick, and 1 / Σw² of the normalised weights.</summary>
    /// <param name="logWeights">ΣA of each candidate.</param>
    /// <param name="noise">Standard Gumbel noise of each.</param>
    public static (int Chosen, double EffectiveSampleSize) Of(ReadOnlySpan<double> logWeights, Func<int, double> noise)
    {
        int chosen = 0;
        double best = double.NegativeInfinity, most = double.NegativeInfinity;
        for (int k = 0; k < logWeights.Length; k++)
        {
            most = Math.Max(most, logWeights[k]);
            double value = logWeights[k] + noise(k);
            if (value > best)
            {
                (best, chosen) = (value, k);
            }
        }

        double sum = 0, squares = 0;
        foreach (double logWeight in logWeights)
        {
            double weight = Math.Exp(logWeight - most);
            sum += weight;
            squares += weight * weight;
        }

        return (chosen, sum * sum / squares);
    }
}

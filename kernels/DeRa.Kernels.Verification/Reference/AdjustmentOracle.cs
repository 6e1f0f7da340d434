namespace DeRa.Kernels.Verification;

/// <summary>
/// z′ of listed tokens: z ← z &gt; 0 ? z/ρ : z·ρ for tokens in context, z ← z − presence·[n &gt; 0] − frequency·n, z ← z + bias.
/// </summary>
public static class AdjustmentOracle
{
    /// <summary>ε: that of z times the steeper of ρ and 1/ρ, and 4 u of the magnitudes added.</summary>
    /// <param name="z">[vocab] mixture logits.</param>
    /// <param name="epsilon">[vocab] their ε.</param>
    /// <param name="row">Penalties.</param>
    /// <param name="adjustments">The row's entries.</param>
    public static (double[] Value, double[] Epsilon) Compute(
        double[] z, double[] epsilon, HeadRow row, IReadOnlyList<TokenAdjustment> adjustments)
    {
        double[] value = [.. z], error = [.. epsilon];
        foreach (TokenAdjustment adjustment in adjustments)
        {
            int v = adjustment.TokenId;
            if (adjustment.InContext != 0)
            {
                double penalty = row.RepetitionPenalty;
                value[v] = value[v] > 0 ? value[v] / penalty : value[v] * penalty;
                error[v] *= Math.Max(penalty, 1 / penalty);
            }

            double subtracted = (adjustment.OutputCount > 0 ? row.PresencePenalty : 0) + (double)row.FrequencyPenalty * adjustment.OutputCount;
            double magnitude = Math.Abs(value[v]) + Math.Abs(subtracted) + (float.IsFinite(adjustment.Bias) ? Math.Abs(adjustment.Bias) : 0);
            value[v] = value[v] - subtracted + adjustment.Bias;
            error[v] += 4 * Rounding.Unit * magnitude;
        }

        return (value, error);
    }
}

namespace DeRa.Kernels.Verification;

/// <summary>KL(p ‖ q) = Σ_v p_v·(log p_v − log q_v), p = softmax(z), q = softmax(other).</summary>
public static class DivergenceOracle
{
    /// <summary>
    /// ε holds for both ways to compute it, the sum as written and E_p[z − other] − (log Z_p − log Z_q): weights are off by the ε of z and of
    /// e^x, which matters times the distance of a term from the mean; each term by the ε of both logits and 2 u of their magnitudes; the
    /// sum by Sum(n) of its magnitudes; and each log Z by its own.
    /// </summary>
    /// <param name="z">[vocab] logits of p.</param>
    /// <param name="zEpsilon">[vocab].</param>
    /// <param name="other">[vocab] logits of q.</param>
    /// <param name="otherEpsilon">[vocab].</param>
    public static (double Value, double Epsilon) Compute(double[] z, double[] zEpsilon, double[] other, double[] otherEpsilon)
    {
        LogSumOracle p = LogSumOracle.Compute(z, zEpsilon), q = LogSumOracle.Compute(other, otherEpsilon);
        double mean = 0, value = 0;
        for (int v = 0; v < z.Length; v++)
        {
            mean += p.Probabilities[v] * (z[v] - other[v]);
            value += p.Probabilities[v] * (z[v] - p.Value - (other[v] - q.Value));
        }

        double error = p.Epsilon + q.Epsilon + 4 * Rounding.Unit * (Math.Abs(p.Value) + Math.Abs(q.Value));
        for (int v = 0; v < z.Length; v++)
        {
            double weight = p.Probabilities[v], term = z[v] - other[v];
            if (weight > 0)
            {
                error += weight * (Math.Abs(term - mean) * (zEpsilon[v] + Rounding.Exp(z[v] - p.Max)) + zEpsilon[v] + otherEpsilon[v]
                    + 2 * Rounding.Unit * (Math.Abs(z[v]) + Math.Abs(other[v])) + Rounding.Sum(z.Length) * Math.Abs(term));
            }
        }

        return (Math.Max(value, 0), error);
    }
}

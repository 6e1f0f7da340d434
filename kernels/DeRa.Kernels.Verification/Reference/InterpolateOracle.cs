namespace DeRa.Kernels.Verification;

/// <summary>z = (1 − λ)·z_r + λ·z_a; where a model is missing, the other one's logits.</summary>
public static class InterpolateOracle
{
    /// <summary>ε: the logits' own errors weighted by |1 − λ| and |λ|, and 4 u of the two products.</summary>
    /// <param name="reference">[rows, vocab] logits with their ε, or null: λ = 1.</param>
    /// <param name="aligned">[rows, vocab] logits with their ε, or null: λ = 0.</param>
    /// <param name="lambdas">[rows].</param>
    public static Expected Compute(Expected? reference, Expected? aligned, double[] lambdas)
    {
        Expected any = reference ?? aligned ?? throw new ArgumentException("at least one model is needed", nameof(reference));
        return Expected.Of(any.Rows, any.Columns, (t, v) =>
        {
            if (reference is null || aligned is null)
            {
                return (any.Value[t, v], any.Epsilon[t, v] + 4 * Rounding.Unit * Math.Abs(any.Value[t, v]));
            }

            double r = (1 - lambdas[t]) * reference.Value[t, v], a = lambdas[t] * aligned.Value[t, v];
            return (r + a, Math.Abs(1 - lambdas[t]) * reference.Epsilon[t, v] + Math.Abs(lambdas[t]) * aligned.Epsilon[t, v]
                + 4 * Rounding.Unit * (Math.Abs(r) + Math.Abs(a)));
        });
    }
}

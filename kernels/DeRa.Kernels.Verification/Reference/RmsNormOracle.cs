namespace DeRa.Kernels.Verification;

/// <summary>y = x / √(mean(x²) + ε) · gain (+ y); the gain is 1 + weight with a unit offset.</summary>
public static class RmsNormOracle
{
    /// <summary>ε: the mean of squares is a sum of n terms of one sign, so y is off by Sum(n) of its own magnitude; the residual add by u.</summary>
    /// <param name="x">[tokens, n].</param>
    /// <param name="gain">[n].</param>
    /// <param name="epsilon">Under the root.</param>
    /// <param name="unitOffset">The gain is 1 + <paramref name="gain"/>.</param>
    /// <param name="residual">[tokens, n] what y held before, or null.</param>
    public static Expected Compute(double[,] x, double[] gain, double epsilon, bool unitOffset, double[,]? residual)
    {
        int n = gain.Length;
        var inverse = new double[x.GetLength(0)];
        for (int t = 0; t < inverse.Length; t++)
        {
            double squares = 0;
            for (int i = 0; i < n; i++)
            {
                squares += x[t, i] * x[t, i];
            }

            inverse[t] = 1 / Math.Sqrt(squares / n + epsilon);
        }

        return Expected.Of(inverse.Length, n, (t, i) =>
        {
            double term = x[t, i] * inverse[t] * (unitOffset ? 1 + gain[i] : gain[i]);
            double before = residual?[t, i] ?? 0;
            double exactGain = unitOffset ? Math.Abs(x[t, i] * inverse[t]) * (1 + Math.Abs(gain[i])) : Math.Abs(term);
            return (term + before, Rounding.Sum(n) * exactGain + 2 * Rounding.Unit * Math.Abs(before));
        });
    }
}

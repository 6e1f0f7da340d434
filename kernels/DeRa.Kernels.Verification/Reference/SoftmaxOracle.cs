namespace DeRa.Kernels.Verification;

/// <summary>p_v = e^(x_v − max x) / Σ e^(x − max x) per row.</summary>
public static class SoftmaxOracle
{
    /// <summary>ε: numerator as <see cref="Rounding.Exp"/>, denominator the same on average plus Sum(n), both relative to p.</summary>
    /// <param name="x">[rows, n].</param>
    public static Expected Compute(double[,] x)
    {
        int rows = x.GetLength(0), n = x.GetLength(1);
        Expected expected = Expected.Zeros(rows, n);
        for (int t = 0; t < rows; t++)
        {
            double max = double.NegativeInfinity, sum = 0, drift = 0;
            for (int v = 0; v < n; v++)
            {
                max = Math.Max(max, x[t, v]);
            }

            for (int v = 0; v < n; v++)
            {
                double weight = Math.Exp(x[t, v] - max);
                sum += weight;
                drift += weight == 0 ? 0 : weight * Rounding.Exp(x[t, v] - max);
            }

            for (int v = 0; v < n; v++)
            {
                double p = Math.Exp(x[t, v] - max) / sum;
                expected.Value[t, v] = p;
                expected.Epsilon[t, v] = Rounding.SmallestNormal
                    + (p == 0 ? 0 : p * (Rounding.Exp(x[t, v] - max) + drift / sum + Rounding.Sum(n)));
            }
        }

        return expected;
    }
}

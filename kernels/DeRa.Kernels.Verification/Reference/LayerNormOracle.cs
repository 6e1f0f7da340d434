namespace DeRa.Kernels.Verification;

/// <summary>y = (x − mean(x)) / √(var(x) + ε) · gain + bias, the variance uncorrected.</summary>
public static class LayerNormOracle
{
    /// <summary>
    /// ε: the mean is off by Sum(n)·mean|x|, which moves every centred value by as much; the variance, computed from centred values, is a sum
    /// of n terms of one sign.
    /// </summary>
    /// <param name="x">[tokens, n].</param>
    /// <param name="gain">[n].</param>
    /// <param name="bias">[n], or null.</param>
    /// <param name="epsilon">Under the root.</param>
    public static Expected Compute(double[,] x, double[] gain, double[]? bias, double epsilon)
    {
        int rows = x.GetLength(0), n = gain.Length;
        Expected expected = Expected.Zeros(rows, n);
        for (int t = 0; t < rows; t++)
        {
            double sum = 0, magnitude = 0, squares = 0;
            for (int i = 0; i < n; i++)
            {
                sum += x[t, i];
                magnitude += Math.Abs(x[t, i]);
            }

            double mean = sum / n;
            for (int i = 0; i < n; i++)
            {
                squares += (x[t, i] - mean) * (x[t, i] - mean);
            }

            double inverse = 1 / Math.Sqrt(squares / n + epsilon);
            for (int i = 0; i < n; i++)
            {
                double normal = (x[t, i] - mean) * inverse, shift = bias?[i] ?? 0;
                expected.Value[t, i] = normal * gain[i] + shift;
                expected.Epsilon[t, i] = Math.Abs(gain[i]) * Rounding.Sum(n)
                    * (Math.Abs(normal) + (Math.Abs(x[t, i]) + magnitude / n) * inverse) + 2 * Rounding.Unit * Math.Abs(shift);
            }
        }

        return expected;
    }
}

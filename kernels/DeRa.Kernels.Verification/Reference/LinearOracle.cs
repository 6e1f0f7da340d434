namespace DeRa.Kernels.Verification;

/// <summary>y = x · Wᵀ (+ bias) (+ y).</summary>
public static class LinearOracle
{
    /// <summary>ε = Sum(K) · (Σ_k |x_k·w_k| + |bias| + |y|).</summary>
    /// <param name="x">[tokens, in].</param>
    /// <param name="w">[out, in].</param>
    /// <param name="bias">[out], or null.</param>
    /// <param name="residual">[tokens, out] what y held before, or null.</param>
    public static Expected Compute(double[,] x, double[,] w, double[]? bias, double[,]? residual)
    {
        int depth = x.GetLength(1);
        return Expected.Of(x.GetLength(0), w.GetLength(0), (t, o) =>
        {
            (double sum, double magnitude) = Dot(x, t, w, o);
            double added = bias?[o] ?? 0, before = residual?[t, o] ?? 0;
            return (sum + added + before, Rounding.Sum(depth) * (magnitude + Math.Abs(added) + Math.Abs(before)));
        });
    }

    /// <summary>Σ_k x_k·w_k and Σ_k |x_k·w_k|.</summary>
    private static (double Sum, double Magnitude) Dot(double[,] x, int row, double[,] w, int output)
    {
        double sum = 0, magnitude = 0;
        for (int k = 0; k < x.GetLength(1); k++)
        {
            double product = x[row, k] * w[output, k];
            sum += product;
            magnitude += Math.Abs(product);
        }

        return (sum, magnitude);
    }
}

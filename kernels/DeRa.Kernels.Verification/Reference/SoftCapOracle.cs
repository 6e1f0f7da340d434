namespace DeRa.Kernels.Verification;

/// <summary>c · tanh(x / c).</summary>
public static class SoftCapOracle
{
    /// <summary>ε: tanh to 8 u absolute, times c; the slope in x is at most 1.</summary>
    /// <param name="x">[rows, columns].</param>
    /// <param name="cap">c.</param>
    public static Expected Compute(double[,] x, double cap) => Expected.Of(
        x.GetLength(0), x.GetLength(1), (t, i) => (cap * Math.Tanh(x[t, i] / cap), 8 * Rounding.Unit * cap));
}

namespace DeRa.Kernels.Verification;

/// <summary>
/// Bounds on float32 rounding that oracles build their ε from. u = 2⁻²⁴ is the unit roundoff of binary32.
/// </summary>
public static class Rounding
{
    /// <summary>u.</summary>
    public const double Unit = 1.0 / (1 << 24);

    /// <summary>2⁻¹²⁶: results below it may be flushed to 0.</summary>
    public const double SmallestNormal = 1.1754943508222875e-38;

    /// <summary>
    /// Relative to Σ|terms|: error of a float32 sum of <paramref name="terms"/> products in any order. The certain bound is n·u; rounding
    /// errors of mean zero grow with √n (Higham and Mary, "A new approach to probabilistic rounding error analysis", SIAM J. Sci. Comput. 2019,
    /// whose bound is λ·√n·u). √n + 4 leaves four roundings for what surrounds the sum.
    /// </summary>
    public static double Sum(int terms) => (Math.Sqrt(terms) + 4) * Unit;

    /// <summary>
    /// Relative error of e^x: the argument is rounded once (|x|·u), the function itself is good to a few units; 8 u admits base-2
    /// instructions with a 2 ulp result, as on GPUs.
    /// </summary>
    public static double Exp(double x) => (8 + Math.Abs(x)) * Unit;

    /// <summary>Absolute error of log x: 8 u near 1, 8 u of the result elsewhere.</summary>
    public static double Log(double x) => 8 * Unit * (1 + Math.Abs(Math.Log(x)));
}

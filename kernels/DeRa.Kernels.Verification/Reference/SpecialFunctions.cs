namespace DeRa.Kernels.Verification;

/// <summary>Functions that the runtime lacks, to float64 precision.</summary>
public static class SpecialFunctions
{
    /// <summary>
    /// erf x = 2/√π · e^(−x²) · Σ_n 2ⁿ·x^(2n+1) / (1·3·5 … (2n+1)) (Abramowitz and Stegun 7.1.6): all terms have one sign, so nothing cancels.
    /// </summary>
    public static double Erf(double x)
    {
        if (Math.Abs(x) > 6)
        {
            return Math.Sign(x); // erfc(6) = 2e-17, below half a unit of 1
        }

        double term = x, sum = x;
        for (int n = 1; Math.Abs(term) > 1e-18 * Math.Abs(sum); n++)
        {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }

        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    /// <summary>log(1 + x), also where 1 + x rounds: log(w)·x / (w − 1) with w = 1 + x (Kahan).</summary>
    public static double LogOnePlus(double x)
    {
        double w = 1 + x;
        return w == 1 ? x : Math.Log(w) * x / (w - 1);
    }
}

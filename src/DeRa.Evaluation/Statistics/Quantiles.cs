namespace DeRa.Evaluation;

/// <summary>Quantiles of samples and of the distributions that intervals need.</summary>
internal static class Quantiles
{
    /// <summary>The quantile of sorted values at a share of 0 to 1, between neighbours by linear interpolation (Hyndman and Fan's type 7).</summary>
    public static double OfSorted(ReadOnlySpan<double> sorted, double share)
    {
        double position = Math.Clamp(share, 0, 1) * (sorted.Length - 1);
        int below = (int)position;
        int above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((position - below) * (sorted[above] - sorted[below]));
    }

    /// <summary>Φ(z): from erfc by the continued fraction far out and the series near zero.</summary>
    public static double Normal(double z)
    {
        double x = Math.Abs(z);
        double tail;
        if (x < 3)
        {
            // Φ(x) − ½ = φ(x)·Σ x^(2k+1) / (1·3·5·…·(2k+1))
            double term = x, sum = x;
            for (int k = 1; term > 1e-17 * sum; k++)
            {
                term *= x * x / ((2 * k) + 1);
                sum += term;
            }

            tail = 0.5 - (Density(x) * sum);
        }
        else
        {
            // Mills' ratio as x + 1/(x + 2/(x + 3/(…)))
            double fraction = x;
            for (int k = 60; k >= 1; k--)
            {
                fraction = x + (k / fraction);
            }

            tail = Density(x) / fraction;
        }

        return z > 0 ? 1 - tail : tail;
    }

    /// <summary>z with Φ(z) = share, by bisection.</summary>
    public static double NormalQuantile(double share)
    {
        double low = -9, high = 9;
        for (int i = 0; i < 80; i++)
        {
            double middle = (low + high) / 2;
            (low, high) = Normal(middle) < share ? (middle, high) : (low, middle);
        }

        return (low + high) / 2;
    }

    /// <summary>The 1 − tail quantile of Student's t, by bisection of its exact tail.</summary>
    /// <param name="tail">Probability above it, below one half.</param>
    /// <param name="degrees">Degrees of freedom, at least 1.</param>
    public static double StudentT(double tail, int degrees)
    {
        double low = 0, high = 1;
        while (StudentTail(high, degrees) > tail)
        {
            high *= 2;
        }

        for (int i = 0; i < 80; i++)
        {
            double middle = (low + high) / 2;
            (low, high) = StudentTail(middle, degrees) > tail ? (middle, high) : (low, middle);
        }

        return (low + high) / 2;
    }

    /// <summary>P(T &gt; t) in closed form for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4).</summary>
    private static double StudentTail(double t, int degrees)
    {
        double angle = Math.Atan(t / Math.Sqrt(degrees));
        double cosine = Math.Cos(angle), sine = Math.Sin(angle), square = cosine * cosine;
        bool odd = degrees % 2 == 1;
        double term = odd ? cosine : 1, sum = degrees == 1 ? 0 : term;
        for (int k = odd ? 3 : 2; k < degrees; k += 2)
        {
            term *= square * (k - 1) / k;
            sum += term;
        }

        double central = odd ? 2 / Math.PI * (angle + (sine * sum)) : sine * sum;
        return (1 - central) / 2;
    }

    private static double Density(double x) => Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
}

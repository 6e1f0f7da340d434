namespace DeRa.Evaluation.Tests.ExactWorld;

/// <summary>Pearson's test of counts against probabilities.</summary>
internal static class ChiSquare
{
    /// <summary>Cells that are expected less often are taken together, as the approximation needs.</summary>
    private const double LeastExpected = 5;

    /// <summary>The statistic as a standard normal score, by Wilson and Hilferty's cube root: about 0 for the right probabilities, 4 is one in 30,000.</summary>
    public static double StandardScore(int[] counts, double[] probabilities)
    {
        int total = counts.Sum();
        double statistic = 0, restExpected = 0;
        int cells = 0, restCount = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            double expected = total * probabilities[i];
            if (expected < LeastExpected)
            {
                restExpected += expected;
                restCount += counts[i];
                continue;
            }

            statistic += (counts[i] - expected) * (counts[i] - expected) / expected;
            cells++;
        }

        if (restExpected >= LeastExpected)
        {
            statistic += (restCount - restExpected) * (restCount - restExpected) / restExpected;
            cells++;
        }

        double spread = 2.0 / (9 * (cells - 1));
        return (Math.Cbrt(statistic / (cells - 1)) - (1 - spread)) / Math.Sqrt(spread);
    }
}

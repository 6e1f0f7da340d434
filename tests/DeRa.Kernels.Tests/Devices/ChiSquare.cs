namespace DeRa.Kernels.Tests;

/// <summary>Pearson's χ² of counts against a distribution.</summary>
internal static class ChiSquare
{
    /// <summary>Normal quantile of a one-sided 10⁻⁹: with fixed seeds a right sampler passes, and passes always.</summary>
    private const double Quantile = 6;

    /// <summary>Tokens are counted in groups of equal remainder; groups that expect fewer than 8 draws are counted as one: χ² needs none to be rare.</summary>
    /// <param name="counts">[vocab] draws of each token.</param>
    /// <param name="distribution">[vocab] exact probabilities.</param>
    /// <param name="groups">Number of groups.</param>
    public static void AssertFits(int[] counts, double[] distribution, int groups)
    {
        int draws = counts.Sum();
        double[] expected = new double[groups], observed = new double[groups];
        for (int v = 0; v < counts.Length; v++)
        {
            expected[v % groups] += draws * distribution[v];
            observed[v % groups] += counts[v];
        }

        double rareExpected = 0, rareObserved = 0, statistic = 0;
        int cells = 0;
        for (int group = 0; group < groups; group++)
        {
            if (expected[group] < 8)
            {
                (rareExpected, rareObserved) = (rareExpected + expected[group], rareObserved + observed[group]);
                continue;
            }

            cells++;
            statistic += (observed[group] - expected[group]) * (observed[group] - expected[group]) / expected[group];
        }

        if (rareExpected >= 8)
        {
            cells++;
            statistic += (rareObserved - rareExpected) * (rareObserved - rareExpected) / rareExpected;
        }

        // Wilson and Hilferty: (χ²/n)^(1/3) is nearly normal with mean 1 − 2/(9n) and variance 2/(9n).
        double freedom = cells - 1, spread = 2 / (9 * freedom);
        double limit = freedom * Math.Pow(1 - spread + Quantile * Math.Sqrt(spread), 3);
        Assert.That(cells, Is.GreaterThan(2));
        Assert.That(statistic, Is.LessThan(limit), $"chi-square of {cells} cells");
    }
}

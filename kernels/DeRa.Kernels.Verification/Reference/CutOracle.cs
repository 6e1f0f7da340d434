namespace DeRa.Kernels.Verification;

/// <summary>
/// Which tokens survive the cuts on scores s = z′/T, in this order: top-k keeps s ≥ the k-th largest (fewer than k are strictly larger);
/// top-p, on the softmax over those, keeps v while the mass of strictly larger s is below p; min-p keeps s ≥ max s + ln(minP).
/// Scores of −∞ are never kept.
/// </summary>
public static class CutOracle
{
    /// <summary>The kept set, exactly.</summary>
    /// <param name="scores">[vocab] s.</param>
    /// <param name="row">The cuts.</param>
    public static bool[] Kept(double[] scores, HeadRow row) => Possible(scores, row, 0);

    /// <summary>Tokens that a program whose scores are each off by at most <paramref name="error"/> may keep.</summary>
    public static bool[] Possible(double[] scores, HeadRow row, double error) => Cut(scores, row, error, certain: false);

    /// <summary>Tokens that such a program has to keep.</summary>
    public static bool[] Certain(double[] scores, HeadRow row, double error) => Cut(scores, row, error, certain: true);

    /// <summary>
    /// One pass down the sorted scores per cut. What counts as strictly larger than s_v moves by 2·error: with s_w &gt; s_v + 2·error it is
    /// larger for sure, with s_w &gt; s_v − 2·error it may be. Masses are off by e^(2·error) − 1, taken as 3·error.
    /// </summary>
    private static bool[] Cut(double[] scores, HeadRow row, double error, bool certain)
    {
        double slack = certain ? -2 * error : 2 * error;
        double[] sorted = [.. scores.Where(s => s > double.NegativeInfinity).OrderDescending()];
        double max = sorted[0];
        int firstKept = row.TopK > 0 ? Math.Min(row.TopK, sorted.Length) : sorted.Length;
        double kth = row.TopK > 0 ? sorted[firstKept - 1] : double.NegativeInfinity;

        // cumulative[n]: mass of the n largest scores, relative to e^max.
        var cumulative = new double[sorted.Length + 1];
        for (int i = 0; i < sorted.Length; i++)
        {
            cumulative[i + 1] = cumulative[i] + Math.Exp(sorted[i] - max);
        }

        double total = cumulative[CountLarger(sorted, kth, inclusive: true)];
        double limit = row.TopP >= 1 ? double.PositiveInfinity : row.TopP + (certain ? -3 : 3) * error;
        double least = row.MinP > 0 ? max + Math.Log(row.MinP) - slack : double.NegativeInfinity;
        return [.. scores.Select(Keeps)];

        bool Keeps(double s)
        {
            if (s == double.NegativeInfinity)
            {
                return false;
            }

            int larger = CountLarger(sorted, s + slack, inclusive: false);
            if (certain && slack < 0)
            {
                larger--; // the token itself
            }

            double mass = cumulative[larger] / total;
            return s >= least && (row.TopK == 0 || larger < row.TopK) && mass < limit;
        }
    }

    /// <summary>How many of the descending scores exceed (or reach) a value, by bisection.</summary>
    private static int CountLarger(double[] descending, double value, bool inclusive)
    {
        int low = 0, high = descending.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            bool counts = inclusive ? descending[middle] >= value : descending[middle] > value;
            (low, high) = counts ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}

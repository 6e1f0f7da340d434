namespace DeRa.Benchmarks;

/// <summary>The middle of some values; the mean of the middle two where their number is even.</summary>
internal static class Median
{
    /// <summary>Of at least one value, in any order.</summary>
    public static double Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

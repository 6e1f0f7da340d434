using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Figures;

/// <summary>A mean with its 95 % interval.</summary>
internal readonly record struct Interval(double Mean, double Low, double High);

/// <summary>
/// Percentile intervals over prompts (Efron, 1979). The resamples are the same for every figure, so figures of the same prompts can be compared in pairs.
/// </summary>
internal static class Bootstrap
{
    private const int Resamples = 2000;
    private const ulong Seed = 1;

    /// <summary>The interval of a mean of values, one per prompt.</summary>
    public static Interval Mean(IReadOnlyList<double> values)
    {
        double[] means = new double[Resamples];
        for (int r = 0; r < Resamples; r++)
        {
            DeterministicRandom random = new(Seed, (ulong)r);
            double sum = 0;
            for (int i = 0; i < values.Count; i++)
                sum += values[random.NextInt(values.Count)];
            means[r] = sum / values.Count;
        }

        Array.Sort(means);
        return new Interval(values.Average(), means[(int)(0.025 * Resamples)], means[(int)(0.975 * Resamples) - 1]);
    }
}

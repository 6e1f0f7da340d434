namespace DeRa.Evaluation;

/// <summary>
/// The bootstrap over prompts: prompts are drawn with replacement, and every series (a reward at a λ, a KL at a λ …) is averaged over the same
/// draws, so that differences between series keep the pairing by prompt. Deterministic: the same seed and number of prompts, the same draws.
/// </summary>
/// <remarks>
/// Intervals are percentile intervals, widened for few prompts as Hesterberg (The American Statistician 69, 2015, section 3.2) proposes: the tail α/2 is
/// taken at Φ(−√(n/(n−1))·t), t the 1 − α/2 quantile of Student's t with n − 1 degrees of freedom. Plain percentiles of 20 prompts cover about
/// 92 % where 95 % is asked for.
/// </remarks>
public sealed class PairedBootstrap
{
    /// <summary>Enough for ends of a 95 % interval to vary by about a fiftieth of its width between seeds.</summary>
    public const int DefaultResamples = 4000;

    private readonly int prompts;
    private readonly ulong seed;
    private readonly double tail;

    /// <summary>Fixes the draws.</summary>
    /// <param name="prompts">Prompts, at least 1.</param>
    /// <param name="resamples">Resamples, at least 100.</param>
    /// <param name="seed">Same seed, same draws.</param>
    /// <param name="confidence">Stated coverage of intervals, between 0 and 1.</param>
    public PairedBootstrap(int prompts, int resamples = DefaultResamples, ulong seed = 0, double confidence = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(prompts, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 100);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(confidence);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(confidence, 1);
        this.prompts = prompts;
        this.seed = seed;
        Resamples = resamples;
        tail = (1 - confidence) / 2;
        Confidence = confidence;
        Expansion = prompts > 1 ? Math.Sqrt(prompts / (prompts - 1.0)) * Quantiles.StudentT(tail, prompts - 1) : double.PositiveInfinity;
    }

    /// <summary>Resamples drawn.</summary>
    public int Resamples { get; }

    /// <summary>Stated coverage of intervals.</summary>
    public double Confidence { get; }

    /// <summary>Standard normal deviate at which the tails of intervals are taken; infinite for one prompt, where nothing is known of the spread.</summary>
    private double Expansion { get; }

    /// <summary>The mean of a series and its interval.</summary>
    /// <param name="series">[prompts], a value per prompt.</param>
    public Estimate Mean(ReadOnlySpan<double> series) => Percentiles(Average(series), Means(series));

    /// <summary>A function of the ratio of two means, as a perplexity is, and its interval.</summary>
    /// <param name="numerator">[prompts].</param>
    /// <param name="denominator">[prompts], of one sign.</param>
    /// <param name="function">Monotonic.</param>
    public Estimate Ratio(ReadOnlySpan<double> numerator, ReadOnlySpan<double> denominator, Func<double, double> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        double[] above = Means(numerator), below = Means(denominator);
        return Percentiles(function(Average(numerator) / Average(denominator)), [.. above.Select((value, i) => function(value / below[i]))]);
    }

    /// <summary>Means of several series less that of another one, each with an interval of its own.</summary>
    /// <param name="series">[series][prompts].</param>
    /// <param name="baseline">[prompts].</param>
    public IReadOnlyList<Estimate> Differences(IReadOnlyList<double[]> series, double[] baseline)
    {
        ArgumentNullException.ThrowIfNull(series);
        ArgumentNullException.ThrowIfNull(baseline);
        return [.. series.Select(values => Mean(Minus(values, baseline)))];
    }

    /// <summary>
    /// As <see cref="Differences"/>, with intervals that hold all at once at the stated confidence: of the form d ± c·se with one c for all, the quantile
    /// of max |d* − d| / se over resamples (Romano and Wolf, Econometrica 73, 2005, in its one-step form).
    /// </summary>
    public IReadOnlyList<Estimate> SimultaneousDifferences(IReadOnlyList<double[]> series, double[] baseline)
    {
        ArgumentNullException.ThrowIfNull(series);
        ArgumentNullException.ThrowIfNull(baseline);
        double[] worst = new double[Resamples];
        var found = new List<(double Mean, double Error)>();
        foreach (double[] values in series)
        {
            double[] difference = Minus(values, baseline);
            double mean = Average(difference);
            double[] means = Means(difference);
            double error = Deviation(means);
            found.Add((mean, error));
            for (int i = 0; i < means.Length && error > 0; i++)
            {
                worst[i] = Math.Max(worst[i], Math.Abs(means[i] - mean) / error);
            }
        }

        Array.Sort(worst);

        // The same widening for few prompts as of single intervals, as a factor.
        double critical = Quantiles.OfSorted(worst, Confidence) * Expansion / Quantiles.NormalQuantile(1 - tail);
        return
        [
            .. found.Select(one => prompts == 1
                ? new Estimate(one.Mean, double.NaN, double.NaN, double.NaN)
                : new Estimate(one.Mean, one.Mean - (one.Error == 0 ? 0 : critical * one.Error), one.Mean + (one.Error == 0 ? 0 : critical * one.Error), one.Error)),
        ];
    }

    private Estimate Percentiles(double estimate, double[] resampled)
    {
        if (prompts == 1)
        {
            return new Estimate(estimate, double.NaN, double.NaN, double.NaN);
        }

        double error = Deviation(resampled), share = Quantiles.Normal(-Expansion);
        Array.Sort(resampled);
        return new Estimate(estimate, Quantiles.OfSorted(resampled, share), Quantiles.OfSorted(resampled, 1 - share), error);
    }

    private static double[] Minus(double[] values, double[] baseline) => [.. values.Select((value, i) => value - baseline[i])];

    private double[] Means(ReadOnlySpan<double> series)
    {
        if (series.Length != prompts)
        {
            throw new ArgumentException($"expected a value for each of {prompts} prompts, got {series.Length}");
        }

        // The draws are made anew for each series, the same ones each time: a table of them would grow with prompts × resamples.
        var random = new SplitMix64(seed);
        double[] means = new double[Resamples];
        for (int i = 0; i < means.Length; i++)
        {
            double sum = 0;
            for (int j = 0; j < prompts; j++)
            {
                sum += series[random.NextIndex(prompts)];
            }

            means[i] = sum / prompts;
        }

        return means;
    }

    private static double Average(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (double value in values)
        {
            sum += value;
        }

        return sum / values.Length;
    }

    /// <summary>Exactly 0 where all values are equal: rounding must not make a spread of nothing.</summary>
    private static double Deviation(double[] values)
    {
        double mean = Average(values), squares = 0;
        bool spread = false;
        foreach (double value in values)
        {
            squares += (value - mean) * (value - mean);
            spread |= value != values[0];
        }

        return spread ? Math.Sqrt(squares / (values.Length - 1)) : 0;
    }
}

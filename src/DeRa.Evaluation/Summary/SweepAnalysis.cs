namespace DeRa.Evaluation;

/// <summary>Sums up a sweep: means with paired bootstrap intervals over prompts, a recommended λ per reward, warnings.</summary>
public static class SweepAnalysis
{
    /// <summary>
    /// Mean |ΣA| in nats from which a λ outside [0, 1] is called out: there the responses drawn per token and those of the sequence-level mixture
    /// differ by a factor of e on average.
    /// </summary>
    public const double LargeGap = 1;

    /// <summary>Sums up.</summary>
    public static SweepSummary Summarise(SweepData data, AnalysisOptions options)
    {
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(options);
        var bootstrap = new PairedBootstrap(data.PromptCount, options.Resamples, options.Seed, options.Confidence);
        Dictionary<string, RewardSummary[]> rewards = data.Rewards.ToDictionary(name => name, name => Rewards(data, name, bootstrap));
        LambdaSummary[] lambdas = [.. data.Series.Select((series, i) => Lambda(data, i, series, rewards, bootstrap, options.Beta))];
        return new SweepSummary
        {
            Prompts = data.PromptCount,
            Samples = data.Samples,
            Confidence = options.Confidence,
            BootstrapResamples = options.Resamples,
            Beta = options.Beta,
            KlBudget = options.KlBudget,
            Lambdas = lambdas,
            Recommendations = [.. data.Rewards.Select(name => LambdaSelection.Recommend(name, data, lambdas, bootstrap, options))],
            Warnings = [.. Warnings(data, lambdas)],
        };
    }

    private static LambdaSummary Lambda(
        SweepData data, int index, LambdaSeries series, Dictionary<string, RewardSummary[]> rewards, PairedBootstrap bootstrap, double? beta)
    {
        double lambda = LambdaValue.Decimal(data.Lambdas[index]);
        double[] lengths = series.AllLengths;
        Array.Sort(lengths);
        return new LambdaSummary
        {
            Lambda = lambda,
            EffectiveBeta = EffectiveBeta(beta, lambda),
            KlReference = Interval.Of(bootstrap.Mean(series.Kl)),
            SequenceGap = Interval.Of(bootstrap.Mean(series.Gap)),
            SequenceGapDeviation = Deviation(series.AllGaps),
            Length = Interval.Of(bootstrap.Mean(series.Length)),
            LengthQuantiles = [Quantiles.OfSorted(lengths, 0.1), Quantiles.OfSorted(lengths, 0.5), Quantiles.OfSorted(lengths, 0.9)],
            Stopped = series.Stopped.Average(),
            EffectiveSampleSize = series.EffectiveSampleSize is { } sizes ? Interval.Of(bootstrap.Mean(sizes)) : null,
            Rewards = rewards.ToDictionary(entry => entry.Key, entry => entry.Value[index]),
        };
    }

    private static RewardSummary[] Rewards(SweepData data, string name, PairedBootstrap bootstrap)
    {
        RewardSeries[] series = [.. data.Series.Select(one => one.Rewards[name])];
        double[][] means = [.. series.Select(one => one.Mean)];
        IReadOnlyList<Estimate>? fromReference = data.IndexOf(0) is { } zero ? bootstrap.Differences(means, means[zero]) : null;
        IReadOnlyList<Estimate>? fromAligned = data.IndexOf(1) is { } one ? bootstrap.Differences(means, means[one]) : null;
        IReadOnlyList<Estimate>? together = data.IndexOf(1) is { } same ? bootstrap.SimultaneousDifferences(means, means[same]) : null;
        return
        [
            .. series.Select((one, i) => new RewardSummary
            {
                Reward = Interval.Of(bootstrap.Mean(means[i])),
                DifferenceFromReference = fromReference is null ? null : Interval.Of(fromReference[i]),
                DifferenceFromAligned = fromAligned is null ? null : Interval.Of(fromAligned[i]),
                SimultaneousDifferenceFromAligned = together is null ? null : Interval.Of(together[i]),
                WinRateAgainstReference = one.WinsAgainstReference is { } wins0 ? Interval.Of(bootstrap.Mean(wins0)) : null,
                WinRateAgainstAligned = one.WinsAgainstAligned is { } wins1 ? Interval.Of(bootstrap.Mean(wins1)) : null,
            }),
        ];
    }

    private static IEnumerable<string> Warnings(SweepData data, LambdaSummary[] lambdas)
    {
        LambdaSummary[] far = [.. lambdas.Where(one => one.Lambda is < 0 or > 1 && Math.Abs(one.SequenceGap.Mean) >= LargeGap)];
        if (far.Length > 0)
        {
            LambdaSummary farthest = far.MaxBy(one => Math.Abs(one.SequenceGap.Mean))!;
            yield return FormattableString.Invariant(
                $"λ = {string.Join(", ", far.Select(one => FormattableString.Invariant($"{one.Lambda}")))} extrapolate{(far.Length == 1 ? "s" : "")} beyond the evidence: ΣA reaches {farthest.SequenceGap.Mean:F1} nats a response at λ = {farthest.Lambda} (large from {LargeGap}), so what is drawn there need not resemble a model trained with β/λ. Retrain before relying on it, or correct with resampling.");
        }

        foreach (LambdaSummary one in lambdas.Where(one => one.Stopped < 0.5))
        {
            yield return FormattableString.Invariant(
                $"At λ = {one.Lambda} {1 - one.Stopped:P0} of the responses were cut off at the token limit; rewards and KL are those of cut responses.");
        }

        if (data.PromptCount < 20)
        {
            yield return FormattableString.Invariant(
                $"{data.PromptCount} prompt{(data.PromptCount == 1 ? "" : "s")} are few: intervals over fewer than 20 are rough.").Replace("1 prompt are few", "1 prompt is too few", StringComparison.Ordinal);
        }
    }

    internal static double? EffectiveBeta(double? beta, double lambda) => beta is { } value && lambda != 0 ? value / lambda : null;

    private static double Deviation(double[] values)
    {
        double mean = values.Average();
        return values.Length > 1 ? Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1)) : 0;
    }
}

using System.Globalization;

namespace DeRa.Evaluation;

/// <summary>The summary as a table: a row per reward and λ, the same columns in CSV and Parquet.</summary>
/// <param name="Reward">The reward's name.</param>
/// <param name="Values">In the order of <see cref="Columns"/>; null where not known.</param>
public sealed record SummaryRow(string Reward, IReadOnlyList<double?> Values)
{
    /// <summary>Names of the columns after the reward's.</summary>
    public static IReadOnlyList<string> Columns { get; } =
    [
        "lambda", "effective_beta", "prompts", "samples", "recommended",
        .. Names("reward"), .. Names("difference_from_reference"), .. Names("difference_from_aligned"),
        .. Names("win_rate_against_reference"), .. Names("win_rate_against_aligned"),
        .. Names("kl_reference"), .. Names("sequence_gap"), "sequence_gap_deviation",
        .. Names("length"), "length_p10", "length_p50", "length_p90", "stopped", .. Names("effective_sample_size"),
    ];

    /// <summary>All rows: reward by reward, λ ascending.</summary>
    public static IReadOnlyList<SummaryRow> Of(SweepSummary summary)
    {
        ArgumentNullException.ThrowIfNull(summary);
        return
        [
            .. summary.Recommendations.SelectMany(recommendation => summary.Lambdas.Select(lambda =>
                new SummaryRow(recommendation.Reward, Row(summary, recommendation, lambda)))),
        ];
    }

    /// <summary>The table as CSV (RFC 4180), numbers in their shortest form that reads back the same.</summary>
    public static string Csv(IReadOnlyList<SummaryRow> rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var lines = new List<string> { string.Join(",", Columns.Prepend("reward_name")) };
        foreach (SummaryRow row in rows)
        {
            lines.Add(string.Join(",", row.Values.Select(value => value?.ToString("R", CultureInfo.InvariantCulture) ?? "").Prepend(Quoted(row.Reward))));
        }

        return string.Concat(lines.Select(line => line + "\r\n"));
    }

    private static double?[] Row(SweepSummary summary, Recommendation recommendation, LambdaSummary lambda)
    {
        RewardSummary reward = lambda.Rewards[recommendation.Reward];
        return
        [
            lambda.Lambda, lambda.EffectiveBeta, summary.Prompts, summary.Samples, recommendation.Lambda == lambda.Lambda ? 1 : 0,
            .. Figures(reward.Reward), .. Figures(reward.DifferenceFromReference), .. Figures(reward.DifferenceFromAligned),
            .. Figures(reward.WinRateAgainstReference), .. Figures(reward.WinRateAgainstAligned),
            .. Figures(lambda.KlReference), .. Figures(lambda.SequenceGap), lambda.SequenceGapDeviation,
            .. Figures(lambda.Length), lambda.LengthQuantiles[0], lambda.LengthQuantiles[1], lambda.LengthQuantiles[2],
            lambda.Stopped, .. Figures(lambda.EffectiveSampleSize),
        ];
    }

    private static string[] Names(string name) => [name, name + "_low", name + "_high", name + "_standard_error"];

    private static double?[] Figures(Interval? interval) => [interval?.Mean, interval?.Low, interval?.High, interval?.StandardError];

    private static string Quoted(string text) => text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}

using System.Globalization;
using System.Text;

namespace DeRa.Evaluation;

/// <summary>The plots of a sweep's report.</summary>
internal static class SweepPlots
{
    /// <summary>Reward against λ, the reward–KL frontier, win rates.</summary>
    public static void AppendReward(StringBuilder html, SweepSummary summary, Recommendation recommendation)
    {
        string name = recommendation.Reward;
        AppendByLambda(html, summary, "Mean reward", "a", "The ring marks the recommended λ; the band is the interval.", recommendation.Lambda, lambda => lambda.Rewards[name].Reward);
        Append(html, "The frontier: what reward costs in KL from the reference.", new LinePlot
        {
            XTitle = "KL from the reference (nats a response)",
            YTitle = "Mean reward",
            Description = "Mean reward against KL",
            Labelled = true,
            Points =
            [
                .. summary.Lambdas.Select(lambda =>
                {
                    Interval kl = lambda.KlReference, reward = lambda.Rewards[name].Reward;
                    return new PlotPoint(
                        $"λ = {LinePlot.Number(lambda.Lambda)}: reward {Text(reward)}, KL {Text(kl)}",
                        kl.Mean, reward.Mean, reward.Low, reward.High, kl.Low, kl.High, lambda.Lambda == recommendation.Lambda);
                }),
            ],
        });
        AppendWins(html, summary, recommendation, "Win rate against λ = 0", lambda => lambda.Rewards[name].WinRateAgainstReference);
        AppendWins(html, summary, recommendation, "Win rate against λ = 1", lambda => lambda.Rewards[name].WinRateAgainstAligned);
    }

    /// <summary>KL, ΣA and length against λ.</summary>
    public static void AppendResponses(StringBuilder html, SweepSummary summary)
    {
        AppendByLambda(html, summary, "KL from the reference (nats)", "b", "Summed over a response.", null, lambda => lambda.KlReference);
        AppendByLambda(
            html, summary, "ΣA (nats)", "d", "How far decoding per token lies from the sequence-level mixture; 0 at λ = 0 and λ = 1.", null, lambda => lambda.SequenceGap, level: 0);
        AppendByLambda(html, summary, "Response length (tokens)", "c", "The token that ends a response is not counted.", null, lambda => lambda.Length);
        if (summary.Lambdas.All(lambda => lambda.EffectiveSampleSize is not null))
        {
            AppendByLambda(html, summary, "Effective candidates", "b", "How many of the resampled candidates carry weight.", null, lambda => lambda.EffectiveSampleSize!);
        }
    }

    private static void AppendWins(StringBuilder html, SweepSummary summary, Recommendation recommendation, string title, Func<LambdaSummary, Interval?> value)
    {
        if (summary.Lambdas.All(lambda => value(lambda) is not null))
        {
            AppendByLambda(html, summary, title, "c", "Paired by prompt and sample; ties count half.", recommendation.Lambda, lambda => value(lambda)!, level: 0.5);
        }
    }

    private static void AppendByLambda(
        StringBuilder html, SweepSummary summary, string title, string colour, string caption, double? marked, Func<LambdaSummary, Interval> value, double? level = null) =>
        Append(html, caption, new LinePlot
        {
            XTitle = "λ",
            YTitle = title,
            Description = title.Contains("against", StringComparison.Ordinal) ? title : $"{title} against λ",
            Colour = colour,
            YLine = level,
            XTicks = [.. summary.Lambdas.Select(lambda => lambda.Lambda)],
            Points =
            [
                .. summary.Lambdas.Select(lambda =>
                {
                    Interval interval = value(lambda);
                    return new PlotPoint(
                        $"λ = {LinePlot.Number(lambda.Lambda)}: {Text(interval)}", lambda.Lambda, interval.Mean, interval.Low, interval.High, Marked: lambda.Lambda == marked);
                }),
            ],
        });

    private static void Append(StringBuilder html, string caption, LinePlot plot) =>
        html.Append(CultureInfo.InvariantCulture, $"<figure><h3>{LinePlot.Escape(plot.Description)}</h3>{plot.Render()}<figcaption>{LinePlot.Escape(caption)}</figcaption></figure>\n");

    private static string Text(Interval interval) => interval is { Low: { } low, High: { } high }
        ? $"{LinePlot.Number(interval.Mean)} ({LinePlot.Number(low)} to {LinePlot.Number(high)})"
        : LinePlot.Number(interval.Mean);
}

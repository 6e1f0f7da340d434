namespace DeRa.Evaluation;

/// <summary>Sums up a scored data set as its texts come in; keeps five numbers per text and λ.</summary>
/// <param name="lambdas">λ, in the order of the figures.</param>
public sealed class ScoreAnalysis(IReadOnlyList<float> lambdas)
{
    private readonly List<ScoreFigures>[] texts = [.. lambdas.Select(_ => new List<ScoreFigures>())];
    private readonly List<double>[] margins = [.. lambdas.Select(_ => new List<double>())];

    /// <summary>Takes a text.</summary>
    /// <param name="figures">Per λ.</param>
    public void AddText(IReadOnlyList<ScoreFigures> figures)
    {
        ArgumentNullException.ThrowIfNull(figures);
        for (int i = 0; i < texts.Length; i++)
        {
            texts[i].Add(figures[i]);
        }
    }

    /// <summary>Takes a preference pair.</summary>
    /// <param name="chosen">Of the preferred text, per λ.</param>
    /// <param name="rejected">Of the other one, per λ.</param>
    public void AddPair(IReadOnlyList<ScoreFigures> chosen, IReadOnlyList<ScoreFigures> rejected)
    {
        ArgumentNullException.ThrowIfNull(chosen);
        ArgumentNullException.ThrowIfNull(rejected);
        for (int i = 0; i < margins.Length; i++)
        {
            margins[i].Add(chosen[i].MeanLogprob - rejected[i].MeanLogprob);
        }
    }

    /// <summary>Sums up what was taken.</summary>
    public ScoreSummary Summarise(AnalysisOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        PairedBootstrap? overTexts = Bootstrap(texts[0].Count, options), overPairs = Bootstrap(margins[0].Count, options);
        return new ScoreSummary
        {
            Texts = texts[0].Count,
            Pairs = margins[0].Count,
            Tokens = texts[0].Sum(text => (long)text.Tokens),
            Confidence = options.Confidence,
            BootstrapResamples = options.Resamples,
            Lambdas = [.. lambdas.Select((lambda, i) => Summarise(lambda, texts[i], margins[i], overTexts, overPairs))],
        };
    }

    private static PairedBootstrap? Bootstrap(int count, AnalysisOptions options) =>
        count > 0 ? new PairedBootstrap(count, options.Resamples, options.Seed, options.Confidence) : null;

    private static ScoreLambdaSummary Summarise(float lambda, List<ScoreFigures> texts, List<double> margins, PairedBootstrap? overTexts, PairedBootstrap? overPairs)
    {
        Interval? Mean(Func<ScoreFigures, double> value) => overTexts is null ? null : Interval.Of(overTexts.Mean([.. texts.Select(value)]));

        return new ScoreLambdaSummary
        {
            Lambda = LambdaValue.Decimal(lambda),
            Perplexity = overTexts is null
                ? null
                : Interval.Of(overTexts.Ratio([.. texts.Select(text => -text.LogLikelihood)], [.. texts.Select(text => (double)text.Tokens)], Math.Exp)),
            LogLikelihood = Mean(text => text.LogLikelihood),
            KlReference = Mean(text => text.KlReference),
            KlAligned = Mean(text => text.KlAligned),
            SequenceGap = Mean(text => text.SequenceGap),
            PairwiseAccuracy = overPairs is null ? null : Interval.Of(overPairs.Mean([.. margins.Select(margin => (1 + Math.Sign(margin)) / 2.0)])),
            Margin = overPairs is null ? null : Interval.Of(overPairs.Mean([.. margins])),
        };
    }
}

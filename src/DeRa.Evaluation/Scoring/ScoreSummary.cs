namespace DeRa.Evaluation;

/// <summary>What a scored data set says of each λ.</summary>
public sealed record ScoreSummary
{
    /// <summary>Texts, preference pairs not counted.</summary>
    public required int Texts { get; init; }

    /// <summary>Preference pairs.</summary>
    public required int Pairs { get; init; }

    /// <summary>Scored positions of the texts.</summary>
    public required long Tokens { get; init; }

    /// <summary>Stated coverage of intervals.</summary>
    public required double Confidence { get; init; }

    /// <summary>Bootstrap resamples, over texts and over pairs.</summary>
    public required int BootstrapResamples { get; init; }

    /// <summary>Per λ, in the order given.</summary>
    public required IReadOnlyList<ScoreLambdaSummary> Lambdas { get; init; }
}

/// <summary>One λ of a scored data set; figures of texts are null where there are none, those of pairs too.</summary>
public sealed record ScoreLambdaSummary
{
    /// <summary>λ.</summary>
    public required double Lambda { get; init; }

    /// <summary>exp(−Σ log p_λ / Σ tokens) over all texts.</summary>
    public required Interval? Perplexity { get; init; }

    /// <summary>Mean over texts of Σ log p_λ(y_t).</summary>
    public required Interval? LogLikelihood { get; init; }

    /// <summary>Mean over texts of Σ KL(p_λ ‖ p_r).</summary>
    public required Interval? KlReference { get; init; }

    /// <summary>Mean over texts of Σ KL(p_λ ‖ p_a).</summary>
    public required Interval? KlAligned { get; init; }

    /// <summary>Mean over texts of ΣA.</summary>
    public required Interval? SequenceGap { get; init; }

    /// <summary>Share of pairs whose chosen text has the higher log p_λ(y) / |y|, ties as half (paper, eq. 14).</summary>
    public required Interval? PairwiseAccuracy { get; init; }

    /// <summary>Mean over pairs of log p_λ(chosen)/|chosen| − log p_λ(rejected)/|rejected|.</summary>
    public required Interval? Margin { get; init; }
}

namespace DeRa.Engine;

/// <summary>A text to score under many λ. Immutable; validated when it is submitted.</summary>
public sealed record ScoreRequest
{
    /// <summary>The whole text, at least two tokens.</summary>
    public required IReadOnlyList<int> Tokens { get; init; }

    /// <summary>First position that is scored, given everything before it; at least 1.</summary>
    public int From { get; init; } = 1;

    /// <summary>λ to score under, at least one; one forward pass of each model serves all.</summary>
    public required IReadOnlyList<float> Lambdas { get; init; }
}

/// <summary>A text's score under one λ; lists have one entry per scored position. Natural logarithms.</summary>
/// <param name="Lambda">λ.</param>
/// <param name="LogLikelihood">Σ_t log p_λ(y_t).</param>
/// <param name="TokenLogProbs">log p_λ(y_t).</param>
/// <param name="KlReference">KL(p_λ ‖ p_r) of the distribution that predicts y_t.</param>
/// <param name="KlAligned">KL(p_λ ‖ p_a) of it.</param>
/// <param name="LogNormalizer">A_t(λ), the log-normaliser of p_r^(1−λ)·p_a^λ.</param>
/// <param name="SequenceGap">Σ_t A_t: how far the sequence-level mixture (Liu et al., arXiv 2402.02992, eq. 5) lies from what decoding samples.</param>
public sealed record LambdaScore(
    float Lambda,
    double LogLikelihood,
    IReadOnlyList<double> TokenLogProbs,
    IReadOnlyList<double> KlReference,
    IReadOnlyList<double> KlAligned,
    IReadOnlyList<double> LogNormalizer,
    double SequenceGap);

namespace DeRa.Evaluation;

/// <summary>One text's figures at one λ, summed over its scored positions. Natural logarithms.</summary>
/// <param name="Tokens">Scored positions.</param>
/// <param name="LogLikelihood">Σ log p_λ(y_t).</param>
/// <param name="KlReference">Σ KL(p_λ ‖ p_r).</param>
/// <param name="KlAligned">Σ KL(p_λ ‖ p_a).</param>
/// <param name="SequenceGap">Σ A_t(λ).</param>
public readonly record struct ScoreFigures(int Tokens, double LogLikelihood, double KlReference, double KlAligned, double SequenceGap)
{
    /// <summary>The length-normalised log-likelihood, log p_λ(y) / |y| (paper, eq. 14).</summary>
    public double MeanLogprob => LogLikelihood / Tokens;
}

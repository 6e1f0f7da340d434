using DeRa.Engine;

namespace DeRa.Evaluation;

/// <summary>Where a sweep's samples come from.</summary>
public interface ISampleSource
{
    /// <summary>Draws a unit's sample: the same unit, the same sample, whatever else is drawn. Many calls run at once.</summary>
    Task<DrawnSample> DrawAsync(SweepPlan plan, SweepUnit unit, CancellationToken cancellationToken);
}

/// <summary>A sample. Natural logarithms, of the plain mixture.</summary>
public sealed record DrawnSample
{
    /// <summary>Ids put out, [tokens], the one that ended it included.</summary>
    public required IReadOnlyList<int> Tokens { get; init; }

    /// <summary>How many of <see cref="Tokens"/> are the response: all but one that ended it.</summary>
    public required int ResponseLength { get; init; }

    /// <summary>Their text without special tokens.</summary>
    public required string Text { get; init; }

    /// <summary>Why it ended.</summary>
    public required FinishReason Finish { get; init; }

    /// <summary>Σ log p_λ.</summary>
    public required double LogProb { get; init; }

    /// <summary>Σ log p_r; null where the reference did not run.</summary>
    public double? LogProbReference { get; init; }

    /// <summary>Σ log p_a; null where the aligned model did not run.</summary>
    public double? LogProbAligned { get; init; }

    /// <summary>Σ KL(p_λ ‖ p_r) over the positions.</summary>
    public required double KlReference { get; init; }

    /// <summary>ΣA(λ): the log-ratio of the unnormalised sequence-level mixture (paper, eq. 5) to what decoding sampled from.</summary>
    public required double SequenceGap { get; init; }

    /// <summary>1 / Σw² of the normalised weights of the candidates; null without resampling.</summary>
    public double? EffectiveSampleSize { get; init; }
}

namespace DeRa.Evaluation;

/// <summary>How results are summed up; none of it changes what is drawn.</summary>
public sealed record AnalysisOptions
{
    /// <summary>KL strength that the aligned model was trained with; gives β/λ where known.</summary>
    public double? Beta { get; init; }

    /// <summary>Largest mean KL(p_λ ‖ p_r) of a response that a recommended λ may have; null sets no limit.</summary>
    public double? KlBudget { get; init; }

    /// <summary>Stated coverage of intervals.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>Bootstrap resamples.</summary>
    public int Resamples { get; init; } = PairedBootstrap.DefaultResamples;

    /// <summary>Seed of the bootstrap.</summary>
    public ulong Seed { get; init; }
}

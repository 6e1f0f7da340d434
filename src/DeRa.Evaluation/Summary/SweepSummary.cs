using System.Text.Json.Serialization;

namespace DeRa.Evaluation;

/// <summary>What a sweep found, as summary.json holds it. Intervals are null where one prompt says nothing of the spread.</summary>
public sealed record SweepSummary
{
    /// <summary>Prompts.</summary>
    public required int Prompts { get; init; }

    /// <summary>Samples per prompt and λ.</summary>
    public required int Samples { get; init; }

    /// <summary>Stated coverage of intervals.</summary>
    public required double Confidence { get; init; }

    /// <summary>Bootstrap resamples over prompts.</summary>
    public required int BootstrapResamples { get; init; }

    /// <summary>β of the aligned model; null where not given.</summary>
    public required double? Beta { get; init; }

    /// <summary>Limit on the mean KL of a recommended λ; null where not given.</summary>
    public required double? KlBudget { get; init; }

    /// <summary>Per λ, ascending.</summary>
    public required IReadOnlyList<LambdaSummary> Lambdas { get; init; }

    /// <summary>Per reward, in the order given.</summary>
    public required IReadOnlyList<Recommendation> Recommendations { get; init; }

    /// <summary>What to be careful about, a sentence each.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }
}

/// <summary>One λ.</summary>
public sealed record LambdaSummary
{
    /// <summary>λ.</summary>
    public required double Lambda { get; init; }

    /// <summary>β/λ; null where β is not given and at λ = 0.</summary>
    public required double? EffectiveBeta { get; init; }

    /// <summary>Σ KL(p_λ ‖ p_r) of a response.</summary>
    public required Interval KlReference { get; init; }

    /// <summary>ΣA(λ) of a response.</summary>
    public required Interval SequenceGap { get; init; }

    /// <summary>Standard deviation of ΣA over samples.</summary>
    public required double SequenceGapDeviation { get; init; }

    /// <summary>Tokens of a response.</summary>
    public required Interval Length { get; init; }

    /// <summary>Tokens of a response that a tenth, half and nine tenths of them do not exceed.</summary>
    public required IReadOnlyList<double> LengthQuantiles { get; init; }

    /// <summary>Share of responses that ended by themselves rather than at the limit.</summary>
    public required double Stopped { get; init; }

    /// <summary>With resampling: mean effective number of candidates.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Interval? EffectiveSampleSize { get; init; }

    /// <summary>By the reward's name.</summary>
    public required IReadOnlyDictionary<string, RewardSummary> Rewards { get; init; }
}

/// <summary>One reward at one λ.</summary>
public sealed record RewardSummary
{
    /// <summary>Mean reward.</summary>
    public required Interval Reward { get; init; }

    /// <summary>Mean reward less that at λ = 0, paired by prompt; null where λ = 0 is not in the grid.</summary>
    public required Interval? DifferenceFromReference { get; init; }

    /// <summary>Mean reward less that at λ = 1, paired by prompt; null where λ = 1 is not in the grid.</summary>
    public required Interval? DifferenceFromAligned { get; init; }

    /// <summary>As <see cref="DifferenceFromAligned"/>, with intervals that hold for all λ at once.</summary>
    public required Interval? SimultaneousDifferenceFromAligned { get; init; }

    /// <summary>Share of samples that beat their partner at λ = 0, ties as half.</summary>
    public required Interval? WinRateAgainstReference { get; init; }

    /// <summary>Share of samples that beat their partner at λ = 1, ties as half.</summary>
    public required Interval? WinRateAgainstAligned { get; init; }
}

/// <summary>A mean over prompts with its interval.</summary>
public sealed record Interval(double Mean, double? Low, double? High, double? StandardError)
{
    internal static Interval Of(Estimate estimate) =>
        new(estimate.Mean, Known(estimate.Low), Known(estimate.High), Known(estimate.StandardError));

    private static double? Known(double value) => double.IsNaN(value) ? null : value;
}

/// <summary>Which λ to take by one reward.</summary>
/// <param name="Reward">The reward's name.</param>
/// <param name="Lambda">The recommended λ; null where none keeps the KL budget.</param>
/// <param name="EffectiveBeta">β/λ of it; null where β is not given, and at λ = 0.</param>
/// <param name="BestLambda">λ of the highest mean reward within the budget; null where none keeps it.</param>
/// <param name="DiffersFromAligned">λ values whose reward differs from that at λ = 1 by more than chance, all considered at once.</param>
/// <param name="Rule">How it was chosen.</param>
/// <param name="Verdict">What that means, in plain words.</param>
public sealed record Recommendation(
    string Reward, double? Lambda, double? EffectiveBeta, double? BestLambda, IReadOnlyList<double> DiffersFromAligned, string Rule, string Verdict);

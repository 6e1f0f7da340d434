using System.Text.Json.Serialization;
using DeRa.Engine;

namespace DeRa.Evaluation;

/// <summary>A line of results.jsonl: one sample, its figures and its rewards. Natural logarithms, of the plain mixture, summed over the response.</summary>
public sealed record ResultLine
{
    /// <summary>Names the unit by its content.</summary>
    public required string Key { get; init; }

    /// <summary>The prompt's id.</summary>
    public required string PromptId { get; init; }

    /// <summary>The prompt's place in the input, from 0.</summary>
    public required int PromptIndex { get; init; }

    /// <summary>The prompt as text.</summary>
    public required string Prompt { get; init; }

    /// <summary>λ.</summary>
    public required float Lambda { get; init; }

    /// <summary>Which sample of the prompt at this λ, from 0.</summary>
    public required int Sample { get; init; }

    /// <summary>The response without special tokens.</summary>
    public required string Text { get; init; }

    /// <summary>Ids put out, the one that ended the response included.</summary>
    public required IReadOnlyList<int> Tokens { get; init; }

    /// <summary>Tokens of the response, the one that ended it not counted.</summary>
    public required int Length { get; init; }

    /// <summary>stop or length.</summary>
    public required FinishReason Finish { get; init; }

    /// <summary>By the reward's name.</summary>
    public required IReadOnlyDictionary<string, double> Rewards { get; init; }

    /// <summary>Σ log p_λ.</summary>
    public required double Logprob { get; init; }

    /// <summary>Σ log p_r; null where the reference did not run.</summary>
    public double? LogprobReference { get; init; }

    /// <summary>Σ log p_a; null where the aligned model did not run (λ = 0).</summary>
    public double? LogprobAligned { get; init; }

    /// <summary>Σ KL(p_λ ‖ p_r).</summary>
    public required double KlReference { get; init; }

    /// <summary>ΣA(λ).</summary>
    public required double SequenceGap { get; init; }

    /// <summary>With resampling: the effective number of candidates, 1 to their number.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? EffectiveSampleSize { get; init; }

    internal static ResultLine Of(string key, SweepUnit unit, DrawnSample sample, IReadOnlyDictionary<string, double> rewards) => new()
    {
        Key = key,
        PromptId = unit.Prompt.Id,
        PromptIndex = unit.Prompt.Index,
        Prompt = unit.Prompt.Text,
        Lambda = unit.Lambda,
        Sample = unit.Sample,
        Text = sample.Text,
        Tokens = sample.Tokens,
        Length = sample.ResponseLength,
        Finish = sample.Finish,
        Rewards = rewards,
        Logprob = sample.LogProb,
        LogprobReference = sample.LogProbReference,
        LogprobAligned = sample.LogProbAligned,
        KlReference = sample.KlReference,
        SequenceGap = sample.SequenceGap,
        EffectiveSampleSize = sample.EffectiveSampleSize,
    };
}

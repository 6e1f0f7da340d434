using DeRa.Engine;

namespace DeRa.Evaluation;

/// <summary>One λ's figures, a value per prompt: the mean over the prompt's samples.</summary>
public sealed class LambdaSeries
{
    private readonly List<double> kl = [], gap = [], length = [], stopped = [], effective = [], gaps = [], lengths = [];
    private readonly Dictionary<string, RewardSeries> rewards;

    internal LambdaSeries(IEnumerable<string> rewards) => this.rewards = rewards.ToDictionary(name => name, _ => new RewardSeries());

    /// <summary>Σ KL(p_λ ‖ p_r) of a response.</summary>
    public double[] Kl => [.. kl];

    /// <summary>ΣA(λ) of a response.</summary>
    public double[] Gap => [.. gap];

    /// <summary>ΣA(λ) of every sample.</summary>
    public double[] AllGaps => [.. gaps];

    /// <summary>Tokens of a response.</summary>
    public double[] Length => [.. length];

    /// <summary>Tokens of every response.</summary>
    public double[] AllLengths => [.. lengths];

    /// <summary>Share of responses that ended by themselves.</summary>
    public double[] Stopped => [.. stopped];

    /// <summary>Effective number of candidates; null without resampling.</summary>
    public double[]? EffectiveSampleSize => effective.Count > 0 ? [.. effective] : null;

    /// <summary>By the reward's name.</summary>
    public IReadOnlyDictionary<string, RewardSeries> Rewards => rewards;

    internal void Add(ResultLine[] samples, ResultLine[]? reference, ResultLine[]? aligned)
    {
        kl.Add(samples.Average(line => line.KlReference));
        gap.Add(samples.Average(line => line.SequenceGap));
        length.Add(samples.Average(line => line.Length));
        stopped.Add(samples.Average(line => line.Finish == FinishReason.Stop ? 1.0 : 0));
        gaps.AddRange(samples.Select(line => line.SequenceGap));
        lengths.AddRange(samples.Select(line => (double)line.Length));
        if (samples[0].EffectiveSampleSize is not null)
        {
            effective.Add(samples.Average(line => line.EffectiveSampleSize ?? 0));
        }

        foreach ((string name, RewardSeries series) in rewards)
        {
            series.Add(name, samples, reference, aligned);
        }
    }
}

/// <summary>One reward at one λ, a value per prompt.</summary>
public sealed class RewardSeries
{
    private readonly List<double> mean = [], against0 = [], against1 = [];

    /// <summary>The reward.</summary>
    public double[] Mean => [.. mean];

    /// <summary>Share of samples that beat the one at λ = 0 with the same number, ties as half; null where λ = 0 is not in the grid.</summary>
    public double[]? WinsAgainstReference => against0.Count > 0 ? [.. against0] : null;

    /// <summary>As <see cref="WinsAgainstReference"/>, against λ = 1.</summary>
    public double[]? WinsAgainstAligned => against1.Count > 0 ? [.. against1] : null;

    internal void Add(string name, ResultLine[] samples, ResultLine[]? reference, ResultLine[]? aligned)
    {
        mean.Add(samples.Average(line => line.Rewards[name]));
        AddWins(against0, reference);
        AddWins(against1, aligned);

        void AddWins(List<double> wins, ResultLine[]? rival)
        {
            if (rival is not null)
            {
                wins.Add(samples.Zip(rival, (ours, theirs) => (1 + Math.Sign(ours.Rewards[name].CompareTo(theirs.Rewards[name]))) / 2.0).Average());
            }
        }
    }
}

namespace DeRa.Evaluation;

/// <summary>
/// Judges responses. Implement it to use a reward of your own in a sweep: the same sample must get the same number whatever else is judged with it,
/// or resumed sweeps do not end as undisturbed ones do.
/// </summary>
public interface IReward : IAsyncDisposable
{
    /// <summary>What results call it; unique within a sweep.</summary>
    string Name { get; }

    /// <summary>What the reward is made of, a file's content or a model's weights, as a hash; null where the name says it all.</summary>
    string? ContentHash { get; }

    /// <summary>Judges samples; may be called from several threads at once.</summary>
    /// <returns>One finite number per sample, in order; more is better.</returns>
    /// <exception cref="RewardException">The reward cannot judge.</exception>
    Task<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<RewardSample> samples, CancellationToken cancellationToken);
}

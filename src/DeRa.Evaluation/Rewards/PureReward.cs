namespace DeRa.Evaluation;

/// <summary>A reward that is a plain function of one sample.</summary>
/// <param name="name">What results call it.</param>
public abstract class PureReward(string name) : IReward
{
    /// <inheritdoc />
    public string Name { get; } = name;

    /// <inheritdoc />
    public virtual string? ContentHash => null;

    /// <summary>The sample's reward, a finite number.</summary>
    public abstract double Score(RewardSample sample);

    /// <inheritdoc />
    public Task<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<RewardSample> samples, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(samples);
        double[] scores = new double[samples.Count];
        for (int i = 0; i < scores.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            scores[i] = Score(samples[i]);
        }

        return Task.FromResult<IReadOnlyList<double>>(scores);
    }

    /// <inheritdoc />
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}

using DeRa.Engine.Scheduling;
using DeRa.Kernels;

namespace DeRa.Engine.Execution;

/// <summary>A text being scored: gathers its figures as its positions are computed, chunk by chunk.</summary>
internal sealed class Scoring : Job
{
    private readonly TaskCompletionSource<IReadOnlyList<LambdaScore>> outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RealignmentValues[][] values; // [λ][scored position]
    private int filled;

    public Scoring(ScoreRequest request, ModelSet needs)
        : base(needs, request.Tokens.Count)
    {
        Lambdas = [.. request.Lambdas];
        Sequence = new Sequence(request.Tokens, this, request.From);
        values = [.. Lambdas.Select(_ => new RealignmentValues[request.Tokens.Count - request.From])];
    }

    /// <summary>λ to score under, in the order asked for.</summary>
    public float[] Lambdas { get; }

    public Task<IReadOnlyList<LambdaScore>> Outcome => outcome.Task;

    /// <summary>Takes the next scored position's figures.</summary>
    /// <param name="statistics">One per λ, then λ = 0 and λ = 1.</param>
    /// <param name="target">Logits of the token at that position.</param>
    public void Take(ReadOnlySpan<ScoreStatistic> statistics, TargetLogits target)
    {
        for (int i = 0; i < Lambdas.Length; i++)
        {
            values[i][filled] = RealignmentFormulas.At(Lambdas[i], statistics[i], statistics[^2], statistics[^1], target);
        }

        filled++;
    }

    /// <summary>Ends once every position has been taken.</summary>
    public void EndWhenFilled() => Ended = filled == values[0].Length;

    public override void Publish()
    {
        if (!Ended || outcome.Task.IsCompleted)
        {
            return; // not there yet, or failed
        }

        outcome.TrySetResult(
        [
            .. Lambdas.Select((lambda, i) => new LambdaScore(
                lambda,
                values[i].Sum(value => value.LogProbability),
                [.. values[i].Select(value => value.LogProbability)],
                [.. values[i].Select(value => value.KlReference)],
                [.. values[i].Select(value => value.KlAligned)],
                [.. values[i].Select(value => value.LogNormalizer)],
                values[i].Sum(value => value.LogNormalizer))),
        ]);
    }

    public override void Fail(Exception exception)
    {
        Ended = true;
        outcome.TrySetException(exception);
    }
}

using DeRa.Kernels;

namespace DeRa.Evaluation;

/// <summary>Gathers one text's figures as its positions are computed, chunk by chunk.</summary>
internal sealed class ScoreCollector
{
    private readonly ScoreItem item;
    private readonly float[] lambdas;
    private readonly RealignmentValues[][] values; // [λ][scored position]
    private int filled;

    public ScoreCollector(ScoreItem item, float[] lambdas)
    {
        this.item = item;
        this.lambdas = lambdas;
        values = [.. lambdas.Select(_ => new RealignmentValues[item.Tokens.Count - item.From])];
    }

    /// <summary>Takes this text's rows of a step that computed the positions [start, start + count) of it, and returns how many there were.</summary>
    /// <param name="statistics">[rows, sweep], the last two of a sweep being λ = 0 and λ = 1.</param>
    /// <param name="targets">[rows].</param>
    /// <param name="firstRow">This text's first row.</param>
    /// <param name="sweep">λ per row.</param>
    /// <param name="start">First position computed.</param>
    /// <param name="count">Positions computed at most.</param>
    public int Take(ScoreStatistic[] statistics, TargetLogits[] targets, int firstRow, int sweep, int start, int count)
    {
        int end = Math.Min(item.Tokens.Count - 1, start + count);
        int rows = Math.Max(0, end - Math.Max(start, item.From - 1));
        for (int row = firstRow; row < firstRow + rows; row++, filled++)
        {
            ReadOnlySpan<ScoreStatistic> all = statistics.AsSpan(row * sweep, sweep);
            for (int i = 0; i < lambdas.Length; i++)
            {
                values[i][filled] = RealignmentFormulas.At(lambdas[i], all[i], all[^2], all[^1], targets[row]);
            }
        }

        return rows;
    }

    public IReadOnlyList<LambdaScore> Scores() =>
    [
        .. lambdas.Select((lambda, i) => new LambdaScore(
            lambda,
            values[i].Sum(value => value.LogProbability),
            [.. values[i].Select(value => value.LogProbability)],
            [.. values[i].Select(value => value.KlReference)],
            [.. values[i].Select(value => value.KlAligned)],
            [.. values[i].Select(value => value.LogNormalizer)],
            values[i].Sum(value => value.LogNormalizer))),
    ];
}

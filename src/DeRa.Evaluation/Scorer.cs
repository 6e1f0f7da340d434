using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Evaluation;

/// <summary>
/// Scores texts under many λ at once: one forward pass of each model and one sweep over the vocabulary per position, whatever the number of λ; no
/// [tokens, vocab] tensor exists. Texts are packed together as far as a step takes them; longer ones go in chunks.
/// </summary>
public sealed class Scorer : IDisposable
{
    private const int StepTokens = 512;

    private readonly KernelSet kernels;
    private readonly ModelPair pair;
    private readonly float[] lambdas;
    private readonly float[] sweep; // the asked-for λ, then 0 and 1 for the models' own normalisers
    private readonly ForwardBatch batch;
    private readonly DeviceBuffer sweepBuffer, statisticsBuffer, targetBuffer, targetLogitsBuffer;
    private readonly ScoreStatistic[] statistics; // [rows, sweep]
    private readonly TargetLogits[] targetLogits; // [rows]

    /// <summary>A scorer over a loaded pair; it allocates the pair's caches as texts need them.</summary>
    /// <param name="kernels">The pair's kernel set.</param>
    /// <param name="pair">The pair.</param>
    /// <param name="lambdas">λ to score under, at least one.</param>
    public Scorer(KernelSet kernels, ModelPair pair, IReadOnlyList<float> lambdas)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        ArgumentNullException.ThrowIfNull(pair);
        ArgumentNullException.ThrowIfNull(lambdas);
        ArgumentOutOfRangeException.ThrowIfZero(lambdas.Count);
        this.kernels = kernels;
        this.pair = pair;
        this.lambdas = [.. lambdas];
        sweep = [.. lambdas, 0, 1];
        batch = new ForwardBatch(kernels);
        sweepBuffer = kernels.Allocate(sizeof(float) * sweep.Length);
        kernels.Write<float>(sweepBuffer, 0, sweep);
        statistics = new ScoreStatistic[StepTokens * sweep.Length];
        targetLogits = new TargetLogits[StepTokens];
        statisticsBuffer = kernels.Allocate(12L * statistics.Length);
        targetBuffer = kernels.Allocate(sizeof(int) * StepTokens);
        targetLogitsBuffer = kernels.Allocate(8L * StepTokens);
    }

    /// <summary>Scores texts, in their order.</summary>
    /// <returns>Per text, one score per λ in the order given.</returns>
    /// <exception cref="ModelInputException">A token or position that a model does not have.</exception>
    public IEnumerable<IReadOnlyList<LambdaScore>> Score(IEnumerable<ScoreItem> items)
    {
        foreach (ScoreItem[] group in Groups(items))
        {
            foreach (IReadOnlyList<LambdaScore> scores in ScoreGroup(group))
            {
                yield return scores;
            }
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        batch.Dispose();
        sweepBuffer.Dispose();
        statisticsBuffer.Dispose();
        targetBuffer.Dispose();
        targetLogitsBuffer.Dispose();
    }

    /// <summary>Texts that fit a step together; a longer text is a group of its own.</summary>
    private static IEnumerable<ScoreItem[]> Groups(IEnumerable<ScoreItem> items)
    {
        var group = new List<ScoreItem>();
        int tokens = 0;
        foreach (ScoreItem item in items)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(item.From, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(item.From, item.Tokens.Count);
            int needed = item.Tokens.Count - 1; // the last token is only predicted
            if (tokens + needed > StepTokens && group.Count > 0)
            {
                yield return [.. group];
                group.Clear();
                tokens = 0;
            }

            group.Add(item);
            tokens += needed;
        }

        if (group.Count > 0)
        {
            yield return [.. group];
        }
    }

    private IReadOnlyList<LambdaScore>[] ScoreGroup(ScoreItem[] group)
    {
        int[][] blocks = AssignBlocks(group);
        ScoreCollector[] collectors = [.. group.Select(item => new ScoreCollector(item, lambdas))];
        var targets = new List<int>(StepTokens);
        int start = 0;
        bool more = true;
        while (more)
        {
            // A group of several texts fits one step; one long text takes a chunk of it per step.
            batch.Clear();
            targets.Clear();
            more = false;
            for (int i = 0; i < group.Length; i++)
            {
                int[] tokens = [.. group[i].Tokens];
                int end = Math.Min(tokens.Length - 1, start + StepTokens);
                int firstScored = Math.Max(start, group[i].From - 1); // the row at t predicts t + 1
                int outputs = Math.Max(0, end - firstScored);
                batch.Add(tokens.AsSpan(start, end - start), start, blocks[i], tokens.Length, outputs);
                targets.AddRange(tokens.AsSpan(end - outputs + 1, outputs));
                more |= end < tokens.Length - 1;
            }

            Sweep(targets);
            int row = 0;
            foreach (ScoreCollector collector in collectors)
            {
                row += collector.Take(statistics, targetLogits, row, sweep.Length, start, StepTokens);
            }

            start += StepTokens;
        }

        return [.. collectors.Select(collector => collector.Scores())];
    }

    /// <summary>Runs the packed step; afterwards the statistics and target logits of its outputs are on the host.</summary>
    private void Sweep(List<int> targets)
    {
        batch.Upload();
        if (targets.Count > 0)
        {
            kernels.Write<int>(targetBuffer, 0, targets.ToArray());
        }

        pair.Forward(batch);
        if (targets.Count > 0)
        {
            kernels.RealignScore(
                pair.ReferenceHead(0, targets.Count), pair.AlignedHead(0, targets.Count), pair.Vocabulary, new IntVector(targetBuffer, 0, targets.Count),
                sweepBuffer, sweep.Length, statisticsBuffer, targetLogitsBuffer);
        }

        kernels.Run();
        kernels.Read(statisticsBuffer, 0, statistics.AsSpan(0, targets.Count * sweep.Length));
        kernels.Read(targetLogitsBuffer, 0, targetLogits.AsSpan(0, targets.Count));
    }

    private int[][] AssignBlocks(ScoreItem[] group)
    {
        int next = 0;
        int[][] tables = [.. group.Select(item => Enumerable.Range(0, KvCache.BlocksFor(item.Tokens.Count)).Select(_ => next++).ToArray())];
        if (pair.Capacity.CacheBlocks < next)
        {
            pair.Allocate(new StepCapacity(StepTokens, StepTokens, Math.Max(next, KvCache.BlocksFor(2 * StepTokens))));
        }

        return tables;
    }
}

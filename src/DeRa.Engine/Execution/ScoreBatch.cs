using System.Runtime.InteropServices;
using DeRa.Kernels;

namespace DeRa.Engine.Execution;

/// <summary>
/// The rows of a step that score given tokens under one list of λ: uploads targets, enqueues the sweep over the vocabulary, hands the figures
/// to the texts they belong to. Buffers grow and are kept.
/// </summary>
internal sealed class ScoreBatch(KernelSet kernels, float[] lambdas) : IDisposable
{
    private readonly float[] sweep = [.. lambdas, 0, 1]; // the λ asked for, then the models' own normalisers
    private readonly List<int> targets = [];
    private readonly List<(Scoring Scoring, int Rows)> owners = [];
    private readonly GrowingBuffer sweepBuffer = new(kernels), targetBuffer = new(kernels), statisticsBuffer = new(kernels), logitsBuffer = new(kernels);
    private ScoreStatistic[] statistics = []; // [rows, sweep]
    private TargetLogits[] logits = [];       // [rows]

    public int Count => targets.Count;

    /// <summary>Whether the rows are scored under exactly these λ.</summary>
    public bool Serves(float[] others) => lambdas.AsSpan().SequenceEqual(others);

    public void Clear()
    {
        targets.Clear();
        owners.Clear();
    }

    /// <summary>Adds the next rows of a text: one per target, in order.</summary>
    public void Add(Scoring scoring, ReadOnlySpan<int> rowTargets)
    {
        targets.AddRange(rowTargets);
        owners.Add((scoring, rowTargets.Length));
    }

    /// <summary>Copies targets and λ to the device. Not while operations are enqueued.</summary>
    public void Upload()
    {
        statisticsBuffer.Reserve<ScoreStatistic>(targets.Count * sweep.Length);
        logitsBuffer.Reserve<TargetLogits>(targets.Count);
        sweepBuffer.Write<float>(sweep);
        targetBuffer.Write<int>(CollectionsMarshal.AsSpan(targets));
    }

    /// <summary>Enqueues the sweep over all rows.</summary>
    public void Enqueue(HeadModel reference, HeadModel aligned, int vocabulary) => kernels.RealignScore(
        reference, aligned, vocabulary, new IntVector(targetBuffer.Buffer, 0, targets.Count), sweepBuffer.Buffer, sweep.Length,
        statisticsBuffer.Buffer, logitsBuffer.Buffer);

    /// <summary>Reads the figures after the step has run and gives each text its own.</summary>
    public void Deliver()
    {
        Array.Resize(ref statistics, Math.Max(statistics.Length, targets.Count * sweep.Length));
        Array.Resize(ref logits, Math.Max(logits.Length, targets.Count));
        statisticsBuffer.Read(statistics.AsSpan(0, targets.Count * sweep.Length));
        logitsBuffer.Read(logits.AsSpan(0, targets.Count));
        int row = 0;
        foreach ((Scoring scoring, int rows) in owners)
        {
            for (int end = row + rows; row < end; row++)
            {
                scoring.Take(statistics.AsSpan(row * sweep.Length, sweep.Length), logits[row]);
            }
        }
    }

    public void Dispose()
    {
        sweepBuffer.Dispose();
        targetBuffer.Dispose();
        statisticsBuffer.Dispose();
        logitsBuffer.Dispose();
    }
}

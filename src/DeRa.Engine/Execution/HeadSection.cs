using DeRa.Engine.Scheduling;
using DeRa.Kernels;

namespace DeRa.Engine.Execution;

/// <summary>Rows of a step that go through one call of a head operation: they need the same models.</summary>
internal abstract class HeadSection(ModelSet needs) : IDisposable
{
    /// <summary>The models whose hidden states the rows read.</summary>
    public ModelSet Needs { get; } = needs;

    /// <summary>Per row the chunk it belongs to, and its hidden state counted from the chunk's end: 1 is the last token's.</summary>
    public List<(int Chunk, int FromEnd)> Rows { get; } = [];

    public virtual void Clear() => Rows.Clear();

    /// <summary>Copies what the operation reads to the device. Not while operations are enqueued.</summary>
    public abstract void Upload();

    public abstract void Enqueue(HeadModel? reference, HeadModel? aligned, int vocabulary, bool statistics);

    public abstract void Dispose();
}

/// <summary>Rows that draw a token each.</summary>
internal sealed class DrawSection(KernelSet kernels, ModelSet needs) : HeadSection(needs)
{
    private readonly HeadBatch head = new(kernels);
    private readonly List<Generation> generations = [];

    /// <summary>What was uploaded.</summary>
    public HeadShape Shape => head.Shape;

    public void Add(int chunk, Generation generation, float lambda)
    {
        Rows.Add((chunk, 1));
        generations.Add(generation);
        head.Add(generation, lambda);
    }

    public override void Clear()
    {
        base.Clear();
        generations.Clear();
        head.Clear();
    }

    public override void Upload() => head.Upload();

    public override void Enqueue(HeadModel? reference, HeadModel? aligned, int vocabulary, bool statistics) =>
        head.Enqueue(reference, aligned, vocabulary, statistics);

    /// <summary>Adds what was drawn, after the step has run.</summary>
    public void Collect(List<DrawnToken> drawn)
    {
        if (Rows.Count == 0)
        {
            return;
        }

        head.Read();
        for (int row = 0; row < generations.Count; row++)
        {
            drawn.Add(new DrawnToken(generations[row], head.Result(row), head.TopTokens(row)));
        }
    }

    public override void Dispose() => head.Dispose();
}

/// <summary>Rows that score a given token each, under one list of λ.</summary>
internal sealed class ScoreSection(ScoreBatch batch) : HeadSection(ModelSet.Both)
{
    public ScoreBatch Batch { get; } = batch;

    public void Add(int chunk, Scoring scoring, Chunk tokens)
    {
        for (int fromEnd = tokens.Outputs; fromEnd > 0; fromEnd--)
        {
            Rows.Add((chunk, fromEnd));
        }

        Batch.Add(scoring, tokens.Sequence.TokenSpan.Slice(tokens.End - tokens.Outputs + 1, tokens.Outputs));
    }

    public override void Clear()
    {
        base.Clear();
        Batch.Clear();
    }

    public override void Upload() => Batch.Upload();

    public override void Enqueue(HeadModel? reference, HeadModel? aligned, int vocabulary, bool statistics) =>
        Batch.Enqueue(reference!, aligned!, vocabulary);

    /// <summary>Gives the texts their figures, after the step has run.</summary>
    public void Deliver()
    {
        if (Rows.Count > 0)
        {
            Batch.Deliver();
        }
    }

    public override void Dispose() => Batch.Dispose();
}

using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models.Tests;

/// <summary>One model with a cache, driven chunk by chunk as an engine would.</summary>
internal sealed class SingleModel : IDisposable
{
    private const int MaxTokens = 256;

    private readonly KernelSet kernels;
    private readonly Checkpoint checkpoint;
    private readonly WeightStore store;
    private readonly KvCache cache;
    private readonly Workspace workspace;
    private readonly ForwardBatch batch;
    private readonly DeviceBuffer hidden;
    private readonly DeviceBuffer logits;

    public SingleModel(KernelSet kernels, string folder, int numBlocks = 64)
    {
        this.kernels = kernels;
        checkpoint = Checkpoint.Open(folder);
        store = new WeightStore(kernels);
        Model = Transformer.Load(checkpoint, store);
        cache = new KvCache(kernels, Model.Config, numBlocks);
        workspace = new Workspace(kernels, MaxTokens, Model.Config);
        batch = new ForwardBatch(kernels);
        hidden = kernels.Allocate(4L * MaxTokens * Model.Config.HiddenSize);
        logits = kernels.Allocate(4L * MaxTokens * Model.Config.VocabSize);
    }

    public Transformer Model { get; }

    /// <summary>Logits [tokens · vocab] of one text, fed in chunks of the given sizes, the last one repeated as needed.</summary>
    public float[] Logits(int[] tokens, int[]? blockTable = null, params int[] chunks)
    {
        blockTable ??= [.. Enumerable.Range(0, KvCache.BlocksFor(tokens.Length))];
        var result = new List<float>();
        for (int start = 0, i = 0; start < tokens.Length; i++)
        {
            int count = Math.Min(chunks.Length == 0 ? MaxTokens : chunks[Math.Min(i, chunks.Length - 1)], tokens.Length - start);
            result.AddRange(Step(new Chunk(tokens, start, count, blockTable, tokens.Length, count)));
            start += count;
        }

        return [.. result];
    }

    /// <summary>One step over several chunks: the logits of all rows asked for.</summary>
    public float[] Step(params Chunk[] chunks)
    {
        batch.Clear();
        foreach (Chunk c in chunks) batch.Add(c.Tokens.AsSpan(c.Start, c.Count), c.Start, c.BlockTable, c.SequenceLength, c.Outputs);
        batch.Upload();
        RopeTable? rope = Model.Prepare(batch);
        Matrix h = Matrix.Dense(hidden, batch.OutputCount, Model.Config.HiddenSize);
        Model.Forward(batch, rope, cache, workspace, h);
        if (batch.OutputCount > 0) Model.EnqueueLogits(h, Matrix.Dense(logits, batch.OutputCount, Model.Config.VocabSize));
        kernels.Run();
        var values = new float[batch.OutputCount * Model.Config.VocabSize];
        kernels.Read<float>(logits, 0, values);
        return values;
    }

    public void Dispose()
    {
        logits.Dispose();
        hidden.Dispose();
        batch.Dispose();
        workspace.Dispose();
        cache.Dispose();
        Model.Dispose();
        store.Dispose();
        checkpoint.Dispose();
    }
}

/// <summary>Tokens [start, start + count) of a text whose known length is <paramref name="SequenceLength"/>.</summary>
internal sealed record Chunk(int[] Tokens, int Start, int Count, int[] BlockTable, int SequenceLength, int Outputs);

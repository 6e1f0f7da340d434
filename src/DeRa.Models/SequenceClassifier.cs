using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// A model with a scalar head, as reward models are: the number for a text is score.weight · h, h the final hidden state of its last token. Equivalent to a
/// family's ForSequenceClassification in transformers with one label. One thread owns it, the one that owns its kernel set.
/// </summary>
/// <remarks>Texts are packed together without padding; what a text gets does not depend on the others.</remarks>
public sealed class SequenceClassifier : IDisposable
{
    private const int StepTokens = 512;

    private readonly KernelSet kernels;
    private readonly Checkpoint checkpoint;
    private readonly WeightStore store;
    private readonly Transformer model;
    private readonly Workspace workspace;
    private readonly ForwardBatch batch;
    private readonly DeviceBuffer hidden; // [StepTokens, hidden]
    private readonly DeviceBuffer scores; // [StepTokens, 1]
    private KvCache? cache;
    private int cacheBlocks;

    private SequenceClassifier(KernelSet kernels, Checkpoint checkpoint, DType? weightType)
    {
        this.kernels = kernels;
        this.checkpoint = checkpoint;
        store = new WeightStore(kernels, duplicates: null, weightType);
        model = Transformer.Load(checkpoint, store);
        kernels.EndLoading();
        workspace = new Workspace(kernels, StepTokens, model.Config);
        batch = new ForwardBatch(kernels);
        hidden = kernels.Allocate((long)sizeof(float) * StepTokens * model.Config.HiddenSize);
        scores = kernels.Allocate((long)sizeof(float) * StepTokens);
    }

    /// <summary>What the model computes.</summary>
    public ModelConfig Config => model.Config;

    /// <summary>Loads a checkpoint folder.</summary>
    /// <exception cref="CheckpointException">A folder that cannot be used, among them one without a scalar head.</exception>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public static SequenceClassifier Load(string folder, KernelSet kernels, DType? weightType = null)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        Checkpoint checkpoint = Checkpoint.OpenScalar(folder);
        try
        {
            return new SequenceClassifier(kernels, checkpoint, weightType);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>Scores texts.</summary>
    /// <param name="texts">Token ids of each, special tokens included, at least one; padding at the end is left out, as transformers does.</param>
    /// <returns>One number per text.</returns>
    /// <exception cref="ModelInputException">A token or a position that the model does not have.</exception>
    public float[] Score(IReadOnlyList<int[]> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        float[] results = new float[texts.Count];
        int[][] trimmed = [.. texts.Select(WithoutPadding)];
        for (int first = 0; first < trimmed.Length;)
        {
            int count = 0, tokens = 0;
            while (first + count < trimmed.Length && (count == 0 || tokens + trimmed[first + count].Length <= StepTokens))
            {
                tokens += trimmed[first + count++].Length;
            }

            ScoreGroup(trimmed.AsSpan(first, count), results.AsSpan(first, count));
            first += count;
        }

        return results;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        cache?.Dispose();
        scores.Dispose();
        hidden.Dispose();
        batch.Dispose();
        workspace.Dispose();
        model.Dispose();
        store.Dispose();
        checkpoint.Dispose();
    }

    private int[] WithoutPadding(int[] text)
    {
        ArgumentOutOfRangeException.ThrowIfZero(text.Length, nameof(text));
        int length = text.Length;
        while (length > 1 && text[length - 1] == model.Config.PadId) length--;
        return text[..length];
    }

    /// <summary>Texts that fit one step together, or one longer text in chunks.</summary>
    private void ScoreGroup(ReadOnlySpan<int[]> texts, Span<float> results)
    {
        int blocks = 0;
        foreach (int[] text in texts) blocks += KvCache.BlocksFor(text.Length);
        Reserve(blocks);
        int chunks = texts.Length == 1 ? ((texts[0].Length - 1) / StepTokens) + 1 : 1;
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            batch.Clear();
            int block = 0;
            foreach (int[] text in texts)
            {
                int start = chunk * StepTokens, count = Math.Min(StepTokens, text.Length - start);
                int[] table = [.. Enumerable.Range(block, KvCache.BlocksFor(text.Length))];
                batch.Add(text.AsSpan(start, count), start, table, text.Length, outputs: start + count == text.Length ? 1 : 0);
                block += table.Length;
            }

            batch.Upload();
            RopeTable? rope = model.Prepare(batch);
            Matrix h = Matrix.Dense(hidden, batch.OutputCount, model.Config.HiddenSize); // [outputs, hidden]
            model.Forward(batch, rope, cache!, workspace, h);
            if (batch.OutputCount > 0) model.EnqueueLogits(h, Matrix.Dense(scores, batch.OutputCount, 1));
            kernels.Run();
        }

        kernels.Read(scores, 0, results);
    }

    private void Reserve(int blocks)
    {
        if (blocks <= cacheBlocks) return;
        cache?.Dispose();
        cacheBlocks = Math.Max(blocks, 2 * KvCache.BlocksFor(StepTokens));
        cache = new KvCache(kernels, model.Config, cacheBlocks);
    }
}

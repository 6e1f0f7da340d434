using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>Receives the logits of one position, [vocab]; the span is valid during the call only.</summary>
public delegate void LogitRowHandler(int position, ReadOnlySpan<float> logits);

/// <summary>
/// Full logits of one model at every position of a text: logits[t] = softCap(W·h_t + b) predicts token t + 1. Runs in chunks through the paged
/// cache and hands out rows one by one, so neither activations nor logits of the whole text are held at once.
/// </summary>
public static class LogitsComputer
{
    /// <summary>Tokens per step, unless told otherwise.</summary>
    public const int DefaultChunk = 128;

    /// <summary>Computes the logits of <paramref name="tokens"/>.</summary>
    /// <param name="model">The model; a pair's sides are <see cref="ModelPair.Reference"/> and <see cref="ModelPair.Aligned"/>.</param>
    /// <param name="kernels">The model's kernel set, nothing enqueued.</param>
    /// <param name="tokens">The text, positions 0, 1, …</param>
    /// <param name="onRow">Called once per position, in order.</param>
    /// <param name="chunk">Tokens per step.</param>
    /// <exception cref="ModelInputException">A token or position that the model does not have.</exception>
    public static void Compute(
        Transformer model, KernelSet kernels, ReadOnlySpan<int> tokens, LogitRowHandler onRow, int chunk = DefaultChunk)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(kernels);
        ArgumentNullException.ThrowIfNull(onRow);
        ArgumentOutOfRangeException.ThrowIfZero(tokens.Length, nameof(tokens));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(chunk);
        int rows = Math.Min(chunk, tokens.Length);
        int[] blockTable = [.. Enumerable.Range(0, KvCache.BlocksFor(tokens.Length))];

        using var cache = new KvCache(kernels, model.Config, blockTable.Length, model.CacheType);
        using var workspace = new Workspace(kernels, rows, model.Config);
        using DeviceBuffer hidden = kernels.Allocate((long)sizeof(float) * rows * model.Config.HiddenSize);
        using DeviceBuffer logits = kernels.Allocate((long)sizeof(float) * rows * model.Config.VocabSize);
        using var batch = new ForwardBatch(kernels);
        float[] host = new float[rows * model.Config.VocabSize];

        for (int start = 0; start < tokens.Length; start += rows)
        {
            int count = Math.Min(rows, tokens.Length - start);
            batch.Clear();
            batch.Add(tokens.Slice(start, count), start, blockTable, tokens.Length, outputs: count);
            batch.Upload();
            RopeTable? rope = model.Prepare(batch);

            Matrix h = Matrix.Dense(hidden, count, model.Config.HiddenSize); // [count, hidden]
            Matrix z = Matrix.Dense(logits, count, model.Config.VocabSize);  // [count, vocab]
            model.Forward(batch, rope, cache, workspace, h);
            model.EnqueueLogits(h, z);
            kernels.Run();

            Span<float> values = host.AsSpan(0, count * z.Columns);
            kernels.Read(logits, 0, values);
            for (int row = 0; row < count; row++) onRow(start + row, values.Slice(row * z.Columns, z.Columns));
        }
    }
}

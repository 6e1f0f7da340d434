using System.Runtime.InteropServices;
using DeRa.Kernels;

namespace DeRa.Models.Tests;

/// <summary>A pair driven by hand: prefill, score, decode up to six sequences at once.</summary>
internal sealed class PairDriver : IDisposable
{
    // Sequence i owns the blocks i, i + 6, i + 12, …: the sequences' blocks lie interleaved.
    private static readonly int[][] BlockTables = [.. Enumerable.Range(0, 6).Select(i => Enumerable.Range(0, 8).Select(b => i + (6 * b)).ToArray())];

    private readonly KernelSet kernels;
    private readonly ForwardBatch batch;
    private readonly List<DeviceBuffer> buffers = [];

    /// <param name="kernels">What runs the head.</param>
    /// <param name="pair">Disposed of with the driver.</param>
    public PairDriver(KernelSet kernels, ModelPair pair)
    {
        this.kernels = kernels;
        Pair = pair;
        batch = pair.CreateBatch();
        pair.Allocate(new StepCapacity(Tokens: 600, Outputs: 96, CacheBlocks: 48));
    }

    public ModelPair Pair { get; }

    /// <summary>Runs tokens [start, tokens.Length) of one text and leaves the last <paramref name="outputs"/> hidden states for the head.</summary>
    public void Forward(ReadOnlySpan<int> tokens, int start, int outputs, bool needReference = true, bool needAligned = true)
    {
        batch.Clear();
        batch.Add(tokens[start..], start, BlockTables[0], tokens.Length, outputs);
        batch.Upload();
        Pair.Forward(batch, needReference, needAligned);
    }

    /// <summary>Greedy token of each text under its λ, all texts in one step; a model that no λ needs does not run.</summary>
    public HeadResult[] Greedy(IReadOnlyList<int[]> texts, int[] starts, float[] lambdas)
    {
        int count = texts.Count;
        bool needReference = lambdas.Any(lambda => lambda != 1), needAligned = lambdas.Any(lambda => lambda != 0);
        DeviceBuffer rows = Upload<HeadRow>([.. lambdas.Select(HeadRow.Greedy)]), adjustments = Upload<TokenAdjustment>([default]);
        DeviceBuffer results = Keep(kernels.Allocate(32 * count));
        batch.Clear();
        for (int i = 0; i < count; i++) batch.Add(texts[i].AsSpan(starts[i]), starts[i], BlockTables[i], texts[i].Length, 1);
        batch.Upload();
        Pair.Forward(batch, needReference, needAligned);
        kernels.RealignHead(
            needReference ? Pair.ReferenceHead(0, count) : null, needAligned ? Pair.AlignedHead(0, count) : null, Pair.Vocabulary, rows, adjustments,
            statistics: true, results, null);
        kernels.Run();
        var result = new HeadResult[count];
        kernels.Read<HeadResult>(results, 0, result);
        Release();
        return result;
    }

    /// <summary>Greedy continuations of one prompt under every λ, with the cache.</summary>
    public int[][] Continue(int[] prompt, float[] lambdas, int steps)
    {
        int[][] texts = [.. lambdas.Select(_ => prompt)];
        int[] starts = new int[lambdas.Length];
        for (int step = 0; step < steps; step++)
        {
            HeadResult[] results = Greedy(texts, starts, lambdas);
            starts = [.. texts.Select(text => text.Length)];
            texts = [.. texts.Select((text, i) => (int[])[.. text, results[i].Token])];
        }

        return [.. texts.Select(text => text[prompt.Length..])];
    }

    /// <summary>Statistics of the tokens [from, …) under every λ, by one pass.</summary>
    public (ScoreStatistic[] Statistics, TargetLogits[] Targets) Score(int[] tokens, int from, float[] lambdas)
    {
        int count = tokens.Length - from;
        DeviceBuffer targets = Upload<int>(tokens.AsSpan(from)), lambdaBuffer = Upload<float>(lambdas);
        DeviceBuffer statistics = Keep(kernels.Allocate(12L * count * lambdas.Length)), targetLogits = Keep(kernels.Allocate(8L * count));
        Forward(tokens.AsSpan(..^1), 0, count);
        kernels.RealignScore(
            Pair.ReferenceHead(0, count), Pair.AlignedHead(0, count), Pair.Vocabulary, new IntVector(targets, 0, count), lambdaBuffer, lambdas.Length,
            statistics, targetLogits);
        kernels.Run();
        var sums = new ScoreStatistic[count * lambdas.Length];
        var logits = new TargetLogits[count];
        kernels.Read<ScoreStatistic>(statistics, 0, sums);
        kernels.Read<TargetLogits>(targetLogits, 0, logits);
        Release();
        return (sums, logits);
    }

    /// <summary>Full logits of both models at the last position.</summary>
    public (float[] Reference, float[] Aligned) LastLogits(ReadOnlySpan<int> tokens)
    {
        Forward(tokens, 0, 1);
        DeviceBuffer r = Keep(kernels.Allocate(4L * Pair.Vocabulary)), a = Keep(kernels.Allocate(4L * Pair.Vocabulary));
        Pair.Reference.EnqueueLogits(Pair.ReferenceHead(0, 1).Hidden, Matrix.Dense(r, 1, Pair.Vocabulary));
        Pair.Aligned.EnqueueLogits(Pair.AlignedHead(0, 1).Hidden, Matrix.Dense(a, 1, Pair.Vocabulary));
        kernels.Run();
        var result = (new float[Pair.Vocabulary], new float[Pair.Vocabulary]);
        kernels.Read<float>(r, 0, result.Item1);
        kernels.Read<float>(a, 0, result.Item2);
        Release();
        return result;
    }

    public void Dispose()
    {
        batch.Dispose();
        Release();
        Pair.Dispose();
    }

    private DeviceBuffer Upload<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        DeviceBuffer buffer = Keep(kernels.Allocate(MemoryMarshal.AsBytes(values).Length));
        kernels.Write(buffer, 0, values);
        return buffer;
    }

    private DeviceBuffer Keep(DeviceBuffer buffer)
    {
        buffers.Add(buffer);
        return buffer;
    }

    private void Release()
    {
        foreach (DeviceBuffer buffer in buffers) buffer.Dispose();
        buffers.Clear();
    }
}

using System.Runtime.InteropServices;
using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests;

/// <summary>
/// A row has the same bits alone, among 2, 3, 5, 17 or 64 rows, and wherever it stands among them: a request's result does not depend on load.
/// </summary>
[TestFixtureSource(typeof(KernelSets), nameof(KernelSets.Present))]
public sealed class BatchInvarianceTests(string spec) : DeviceFixture(spec)
{
    private const int Rows = 64;

    /// <summary>First row and number of rows of each smaller batch.</summary>
    private static readonly (int Start, int Count)[] Windows =
    [
        (0, 1), (1, 1), (31, 1), (63, 1), (0, 2), (62, 2), (7, 3), (61, 3), (3, 5), (40, 5), (0, 17), (30, 17), (47, 17),
    ];

    [Test, Combinatorial]
    public void Linear(
        [Values] DType dtype, [Values] bool inputMajor, [Values(17, 507, 1024)] int depth, [Values(1, 130)] int outputs)
    {
        TestData data = new("linear");
        float[,] x = data.Matrix(Rows, depth), before = data.Matrix(Rows, outputs);
        HostWeight weight = data.Weight(dtype, outputs, depth, inputMajor), bias = data.Weight(dtype, 1, outputs);
        AssertInvariant((bench, start, count) =>
        {
            Matrix y = Window(bench.Matrix(before), start, count);
            bench.Set.Linear(Window(bench.Matrix(x), start, count), bench.Weight(weight, 0), bench.Weight(bias, 0), y, accumulate: outputs > 1);
            return Bytes(bench.Read(y));
        });
    }

    [Test]
    public void Norms([Values(17, 768)] int width)
    {
        TestData data = new("norms");
        float[,] x = data.Matrix(Rows, width);
        HostWeight gain = data.Weight(DType.BF16, 1, width);
        AssertInvariant((bench, start, count) =>
        {
            Matrix from = Window(bench.Matrix(x), start, count), rms = bench.Zeros(count, width), layer = bench.Zeros(count, width);
            Weight scale = bench.Weight(gain, 0);
            bench.Set.RmsNorm(from, scale, 1e-6f, false, rms);
            bench.Set.LayerNorm(from, scale, null, 1e-6f, layer);
            return Interleave(count, Bytes(bench.Read(rms)), Bytes(bench.Read(layer)));
        });
    }

    [Test]
    public void Activations()
    {
        TestData data = new("activations");
        float[,] x = data.Matrix(Rows, 2 * 123);
        AssertInvariant((bench, start, count) =>
        {
            Matrix y = bench.Zeros(count, 123);
            bench.Set.GatedActivation(Window(bench.Matrix(x), start, count), ActivationKind.Silu, y);
            bench.Set.Activation(y, ActivationKind.Gelu);
            bench.Set.SoftCap(y, 2);
            return Bytes(bench.Read(y));
        });
    }

    /// <summary>A token attends alike in a decode, in a chunk of any size, and beside longer sequences.</summary>
    [Test]
    public void Attention([Values(null, 20)] int? window, [Values(16, 64)] int headDim)
    {
        TestData data = new("attention");
        QkvLayout layout = QkvLayout.Stacked(4, 2, headDim);
        var batch = new PagedBatch(data, 16, (0, 20), (122, 1), (30, 33), (600, 1), (15, 1), (0, 1), (290, 7));
        Assert.That(batch.Tokens, Has.Length.EqualTo(Rows));
        float[,] qkv = data.Matrix(Rows, layout.Width), cos = data.Matrix(Rows, headDim / 2), sin = data.Matrix(Rows, headDim / 2);
        float[,] keys = data.Matrix(batch.NumBlocks * 16, 2 * headDim), values = data.Matrix(batch.NumBlocks * 16, 2 * headDim);
        AssertInvariant((bench, start, count) =>
        {
            Matrix rows = Window(bench.Matrix(qkv), start, count), output = bench.Zeros(count, 4 * headDim);
            DeviceBatch step = batch.Upload(bench, start, count);
            var cache = new KvLayer(bench.Matrix(keys).Buffer, bench.Matrix(values).Buffer, 0, batch.NumBlocks, 16, 2, headDim);
            var rope = new RopeTable(Window(bench.Matrix(cos), start, count), Window(bench.Matrix(sin), start, count));
            bench.Set.PagedAttention(rows, layout, cache, step, new AttentionOptions(0.2f, window), output);
            bench.Set.RopeAndStoreKv(rows, layout, rope, null, cache, step);
            return Interleave(count, Bytes(bench.Read(output)), Bytes(bench.Read(rows.Slice(0, 4 * headDim))));
        });
    }

    [Test]
    public void Head([Values] DType dtype, [Values] bool shared, [Values] bool statistics)
    {
        TestData data = new("head");
        var shape = new HeadShape(dtype, Rows, 700, 48, shared ? 48 : 33) { Shared = shared, Statistics = statistics };
        (HeadRow[] rows, TokenAdjustment[] adjustments) = HeadRows.Mixed(data, shape);
        HeadData head = HeadData.Random(data, shape, rows, adjustments);
        AssertInvariant((bench, start, count) =>
        {
            (HeadModel reference, HeadModel aligned) = Upload(bench, head, start, count);
            DeviceBuffer results = bench.Buffer<HeadResult>(new HeadResult[count]);
            DeviceBuffer top = bench.Buffer<TopToken>(new TopToken[count * HeadLimits.MaxTopTokens]);
            bench.Set.RealignHead(
                reference, aligned, shape.Vocabulary, bench.Buffer<HeadRow>(rows.AsSpan(start, count)), bench.Buffer<TokenAdjustment>(adjustments),
                statistics, results, top);
            bench.Set.Run();
            HeadResult[] found = bench.Read<HeadResult>(results, count);
            TopToken[] tokens = bench.Read<TopToken>(top, count * HeadLimits.MaxTopTokens);
            for (int i = 0; i < tokens.Length; i++)
            {
                // Entries past TopCount are nobody's.
                tokens[i] = i % HeadLimits.MaxTopTokens < found[i / HeadLimits.MaxTopTokens].TopCount ? tokens[i] : default;
            }

            return Interleave(count, MemoryMarshal.AsBytes<HeadResult>(found).ToArray(), MemoryMarshal.AsBytes<TopToken>(tokens).ToArray());
        });
    }

    [Test]
    public void Score([Values] DType dtype)
    {
        TestData data = new("score");
        var shape = new HeadShape(dtype, Rows, 700, 48, 33);
        HeadData head = HeadData.Random(data, shape, new HeadRow[Rows], []);
        int[] targets = data.Indices(Rows, 700);
        AssertInvariant((bench, start, count) =>
        {
            (HeadModel reference, HeadModel aligned) = Upload(bench, head, start, count);
            DeviceBuffer statistics = bench.Buffer<ScoreStatistic>(new ScoreStatistic[3 * count]);
            DeviceBuffer logits = bench.Buffer<TargetLogits>(new TargetLogits[count]);
            bench.Set.RealignScore(
                reference, aligned, 700, bench.Ints(targets[start..(start + count)]), bench.Buffer<float>([0, 1, 1.7f]), 3, statistics, logits);
            bench.Set.Run();
            return Interleave(
                count,
                MemoryMarshal.AsBytes<ScoreStatistic>(bench.Read<ScoreStatistic>(statistics, 3 * count)).ToArray(),
                MemoryMarshal.AsBytes<TargetLogits>(bench.Read<TargetLogits>(logits, count)).ToArray());
        });
    }

    /// <param name="program">Runs rows [start, start + count) and gives their bytes, row after row.</param>
    private void AssertInvariant(Func<Workbench, int, int, byte[]> program)
    {
        byte[] all = Run(0, Rows);
        int width = all.Length / Rows;
        foreach ((int start, int count) in Windows)
        {
            byte[] some = Run(start, count);
            for (int row = 0; row < count; row++)
            {
                Assert.That(
                    some.AsSpan(row * width, width).SequenceEqual(all.AsSpan((start + row) * width, width)), Is.True,
                    $"row {start + row} differs between a batch of {Rows} and rows {start} to {start + count - 1} alone");
            }
        }

        byte[] Run(int start, int count)
        {
            using var bench = new Workbench(Set);
            return program(bench, start, count);
        }
    }

    private static (HeadModel Reference, HeadModel Aligned) Upload(Workbench bench, HeadData head, int start, int count)
    {
        (HeadModel? reference, HeadModel? aligned) = head.Upload(bench);
        return (
            reference! with { Hidden = Window(reference.Hidden, start, count) }, aligned! with { Hidden = Window(aligned.Hidden, start, count) });
    }

    private static Matrix Window(Matrix matrix, int start, int count) =>
        matrix with { Offset = matrix.Offset + (long)start * matrix.RowStride, Rows = count };

    private static byte[] Bytes(float[,] values)
    {
        var bytes = new byte[4 * values.Length];
        Buffer.BlockCopy(values, 0, bytes, 0, bytes.Length);
        return bytes;
    }

    /// <summary>Row after row of several outputs.</summary>
    private static byte[] Interleave(int rows, byte[] first, byte[] second) =>
    [
        .. Enumerable.Range(0, rows).SelectMany(row => (IEnumerable<byte>)
        [
            .. first.AsSpan(row * (first.Length / rows), first.Length / rows), .. second.AsSpan(row * (second.Length / rows), second.Length / rows),
        ]),
    ];
}

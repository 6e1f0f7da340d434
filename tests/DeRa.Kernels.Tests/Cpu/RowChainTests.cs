using DeRa.Kernels.Cpu;

namespace DeRa.Kernels.Tests.Cpu;

/// <summary>Operations that workers take rows through: the same bits as one operation after another, and only where rows are apart.</summary>
[TestFixture]
public sealed class RowChainTests
{
    private const int Hidden = 96, Inner = 200;

    [Test]
    public void Rows_through_several_operations_keep_their_bits([Values(1, 2, 3)] int workers, [Values(15, 16, 17, 23, 24, 33, 40, 68, 100)] int rows)
    {
        Assert.That(RunLayer(workers, rows, atOnce: true), Is.EqualTo(RunLayer(1, rows, atOnce: false)).And.Some.Not.Zero);
    }

    [Test]
    public void A_row_is_the_same_whatever_rows_it_goes_with()
    {
        float[] many = RunLayer(2, 40, atOnce: true);
        foreach (int rows in new[] { 1, 7, 16, 32 })
        {
            float[] few = RunLayer(2, rows, atOnce: true);
            Assert.That(few, Is.EqualTo(many[..few.Length]), $"{rows} rows");
        }
    }

    [Test]
    public void An_operation_that_needs_other_rows_waits_for_them()
    {
        const int Rows = 32;
        float[][] results = [.. new[] { true, false }.Select(atOnce =>
        {
            using var set = new CpuKernelSet(2);
            using var tensors = new CpuTensors(set, 5);
            Matrix x = tensors.Matrix(tensors.Normal(Rows * Hidden), Hidden), y = tensors.Empty(Rows + 1, Hidden), z = tensors.Empty(Rows, Hidden);
            Weight gain = tensors.Weight(tensors.Normal(Hidden), 1, Hidden, DType.F32), w = tensors.Weight(tensors.Normal(Hidden * Hidden), Hidden, Hidden, DType.BF16);
            for (int i = 0; i < 20; i++)
            {
                set.RmsNorm(x, gain, 1e-5f, unitOffset: false, y.Take(Rows));
                if (!atOnce)
                {
                    set.Run();
                }

                set.Linear(y with { Offset = Hidden, Rows = Rows }, w, null, z); // row r reads what the norm wrote as row r + 1
                set.Linear(z, w, null, x);
                set.Run();
            }

            return tensors.Read(x);
        })];
        Assert.That(results[0], Is.EqualTo(results[1]).And.Some.Not.Zero);
    }

    [TestCase(0, 8, 8, 8, true, TestName = "The same columns")]
    [TestCase(2, 8, 3, 8, true, TestName = "Columns of the same rows that overlap")]
    [TestCase(8, 8, 8, 8, false, TestName = "One row further")]
    [TestCase(-8, 8, 8, 8, false, TestName = "One row before")]
    [TestCase(4, 8, 8, 8, false, TestName = "Columns that end in the next row")]
    [TestCase(0, 8, 4, 4, false, TestName = "Rows of another length")]
    [TestCase(40, 8, 8, 8, true, TestName = "Memory behind all rows")]
    [TestCase(-40, 8, 8, 8, true, TestName = "Memory before all rows")]
    public void Rows_are_apart(int distance, int columns, int otherColumns, int otherStride, bool apart)
    {
        var block = new RowBlock(1 << 20, 8, columns);
        var other = new RowBlock((1 << 20) + distance * sizeof(float), otherStride, otherColumns);
        Assert.That(block.KeepsRowsApart(other, 5), Is.EqualTo(apart));
        Assert.That(other.KeepsRowsApart(block, 5), Is.EqualTo(apart));
    }

    [TestCase(16, 2, 8)]
    [TestCase(15, 2, 0, TestName = "Not a tile for each worker")]
    [TestCase(17, 2, 9)]
    [TestCase(23, 2, 12)]
    [TestCase(32, 2, 8)]
    [TestCase(33, 2, 9)]
    [TestCase(40, 2, 10)]
    [TestCase(56, 2, 14)]
    [TestCase(72, 2, 8, TestName = "Nine tiles of eight for two are even enough")]
    [TestCase(64, 1, 0)]
    [TestCase(64, 8, 8)]
    [TestCase(72, 8, 9)]
    public void Workers_take_whole_tiles_or_even_shares(int rows, int workers, int taken) =>
        Assert.That(RowChain.RowsTaken(rows, workers), Is.EqualTo(taken));

    [Test]
    public void No_worker_has_much_more_than_the_others()
    {
        for (int workers = 2; workers <= 9; workers++)
        {
            for (int rows = RowChain.Tile * workers; rows < 300; rows++)
            {
                int taken = RowChain.RowsTaken(rows, workers), units = (rows + taken - 1) / taken, longest = (units + workers - 1) / workers * taken;
                Assert.That(taken, Is.InRange(RowChain.Tile, RowChain.MostTaken), $"{rows} rows, {workers} workers");
                Assert.That(8 * longest * workers, Is.LessThanOrEqualTo(9 * (rows + taken * workers)), $"{rows} rows, {workers} workers");
            }
        }
    }

    /// <summary>Norm, three projections, projection onto the residual, norm, gate and up, activation, down: what a layer does around its attention.</summary>
    private static float[] RunLayer(int workers, int rows, bool atOnce)
    {
        using var set = new CpuKernelSet(workers);
        using var tensors = new CpuTensors(set, 4);
        Weight first = Gain(), second = Gain(), q = Projection(Hidden, Hidden), k = Projection(13, Hidden), v = Projection(13, Hidden);
        Weight bias = tensors.Weight(tensors.Normal(13), 1, 13, DType.F32), o = Projection(Hidden, Hidden);
        Weight gate = Projection(Inner, Hidden), up = Projection(Inner, Hidden), down = Projection(Hidden, Inner);
        Matrix x = tensors.Matrix(tensors.Normal(rows * Hidden), Hidden), normed = tensors.Empty(rows, Hidden);
        Matrix qkv = tensors.Empty(rows, Hidden + 26), gateUp = tensors.Empty(rows, 2 * Inner), inner = tensors.Empty(rows, Inner);
        foreach (Action operation in (Action[])
        [
            () => set.RmsNorm(x, first, 1e-5f, unitOffset: false, normed),
            () => set.Linear(normed, q, null, qkv.Slice(0, Hidden)),
            () => set.Linear(normed, k, bias, qkv.Slice(Hidden, 13)),
            () => set.Linear(normed, v, null, qkv.Slice(Hidden + 13, 13)),
            () => set.Linear(qkv.Slice(0, Hidden), o, null, x, accumulate: true),
            () => set.RmsNorm(x, second, 1e-5f, unitOffset: true, normed),
            () => set.Linear(normed, gate, null, gateUp.Slice(0, Inner)),
            () => set.Linear(normed, up, null, gateUp.Slice(Inner, Inner)),
            () => set.GatedActivation(gateUp, ActivationKind.Silu, inner),
            () => set.Linear(inner, down, null, x, accumulate: true),
        ])
        {
            operation();
            if (!atOnce)
            {
                set.Run();
            }
        }

        set.Run();
        return tensors.Read(x);

        Weight Gain() => tensors.Weight(tensors.Normal(Hidden), 1, Hidden, DType.F32);

        Weight Projection(int n, int inputs) => tensors.Weight(tensors.Normal(n * inputs), n, inputs, DType.BF16);
    }
}

using DeRa.Kernels.Cuda;
using DeRa.Kernels.Verification;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Tests.Cuda;

/// <summary>
/// Weights whose inputs are no multiple of eight: rows have zeros behind them, so that tensor cores take them with the bits of inputs that are zeros, and
/// Portable's kernels, where they are needed after all, read past the zeros.
/// </summary>
internal sealed class RowPaddingTests
{
    private CudaKernelSet set = null!;

    [OneTimeSetUp]
    public void Open() => set = new CudaKernelSet(DeviceContext.EmulateWarps(), CudaArchitecture.SM_80);

    [OneTimeTearDown]
    public void Close() => set?.Dispose();

    [TestCase(DType.BF16, 123, 128)]
    [TestCase(DType.F16, 37, 40)]
    [TestCase(DType.BF16, 64, 64)]
    [TestCase(DType.F32, 123, 123)]
    public void Rows_of_types_that_tensor_cores_take_begin_at_multiples_of_sixteen_bytes(DType type, int inputs, int stride) =>
        Assert.That(set.RowStride(type, inputs), Is.EqualTo(stride));

    [Test]
    public void A_card_without_bfloat16_tensor_cores_stores_it_dense()
    {
        using var older = new CudaKernelSet(DeviceContext.EmulateWarps(), CudaArchitecture.SM_75);
        Assert.That(older.RowStride(DType.BF16, 123), Is.EqualTo(123));
        Assert.That(older.RowStride(DType.F16, 123), Is.EqualTo(128));
    }

    /// <summary>One reduction order: an input that is not there is an input of zero. What lies behind the rows of x is not read as one.</summary>
    [TestCase(3, 275, 280)]
    [TestCase(20, 37, 40)]
    public void A_projection_has_the_bits_of_one_with_inputs_of_zero(int rows, int inputs, int all)
    {
        TestData data = new("zeros");
        float[,] x = data.Matrix(rows, inputs), w = data.Matrix(9, inputs), y = Project(x, w), padded = Project(Widened(x), Widened(w));
        Assert.That(y, Is.EqualTo(padded));

        float[,] Project(float[,] activations, float[,] weights)
        {
            using var bench = new Workbench(set);
            Matrix wide = bench.Matrix(Nan(rows, all + 5)), from = wide.Slice(3, activations.GetLength(1)), to = bench.Zeros(rows, 9);
            for (int row = 0; row < rows; row++)
            {
                set.Write<float>(wide.Buffer, 4 * (from.Offset + (long)row * from.RowStride), [.. Enumerable.Range(0, from.Columns).Select(k => activations[row, k])]);
            }

            long before = set.LaunchCount;
            set.Linear(from, bench.Weight(new HostWeight(DType.BF16, weights), 0), null, to);
            set.Run();
            Assert.That(set.LaunchCount - before, Is.EqualTo(rows > 16 ? 2 : 1), "by tensor cores: many rows are rounded first");
            return bench.Read(to);
        }

        float[,] Widened(float[,] values)
        {
            var wide = new float[values.GetLength(0), all];
            for (int row = 0; row < values.GetLength(0); row++)
            {
                for (int k = 0; k < inputs; k++)
                {
                    wide[row, k] = values[row, k];
                }
            }

            return wide;
        }

        static float[,] Nan(int rows, int columns)
        {
            var values = new float[rows, columns];
            System.Runtime.InteropServices.MemoryMarshal.CreateSpan(ref values[0, 0], values.Length).Fill(float.NaN);
            return values;
        }
    }

    /// <summary>Rows of a stacked matrix begin at padded rows.</summary>
    [Test]
    public void Slices_of_a_padded_matrix_are_its_rows()
    {
        TestData data = new("slices");
        float[,] x = data.Matrix(2, 37);
        HostWeight all = data.Weight(DType.F16, 17, 37);
        using var bench = new Workbench(set);
        Matrix whole = bench.Zeros(2, 17), part = bench.Zeros(2, 8);
        Weight weight = bench.Weight(all, 0);
        set.Linear(bench.Matrix(x), weight, null, whole);
        set.Linear(bench.Matrix(x), weight.SliceRows(3, 8), null, part);
        float[,] expected = bench.Read(whole), got = bench.Read(part);
        Assert.That(got.Cast<float>(), Is.EqualTo(Enumerable.Range(0, 16).Select(i => expected[i / 8, 3 + (i % 8)])));
    }

    public static IEnumerable<SelfTestCase> Tables => SelfTest.Cases.Where(check => check.Operation == "Embed" && check.Name.Contains("BF16", StringComparison.Ordinal));

    /// <summary>Tables are read by Portable's kernel, and a tied one is the output projection too.</summary>
    [TestCaseSource(nameof(Tables))]
    public void Embeds(SelfTestCase check)
    {
        SelfTestResult result = check.Run(set);
        Assert.That(result.Passed, Is.True, result.Message);
    }

    /// <summary>Beside a float32 model the head is Portable's, and so is a projection from a place that tensor cores cannot read: dense or padded, the same bits.</summary>
    [Test]
    public void Kernels_for_dense_rows_read_padded_ones()
    {
        const int Rows = 2, Width = 37, Vocabulary = 20;
        TestData data = new("mixed types");
        float[,] hidden = data.Matrix(Rows, Width);
        HostWeight reference = data.Weight(DType.F32, Vocabulary, Width), aligned = data.Weight(DType.BF16, Vocabulary, Width);
        (byte[] Scores, float[,] Projected) padded = Compute(bench => bench.Weight(aligned, 0), bench => bench.Weight(aligned, 4)), dense = Compute(bench => Dense(bench, 0), bench => Dense(bench, 4));
        Assert.That(padded.Scores, Is.EqualTo(dense.Scores));
        Assert.That(padded.Projected, Is.EqualTo(dense.Projected));

        Weight Dense(Workbench bench, int offset) =>
            new(bench.Buffer<byte>([.. new byte[offset], .. aligned.Bytes]), offset, DType.BF16, Vocabulary, Width);

        (byte[] Scores, float[,] Projected) Compute(Func<Workbench, Weight> output, Func<Workbench, Weight> unaligned)
        {
            using var bench = new Workbench(set);
            Weight weight = output(bench);
            DeviceBuffer statistics = bench.Buffer<ScoreStatistic>(new ScoreStatistic[Rows]), logits = bench.Buffer<TargetLogits>(new TargetLogits[Rows]);
            set.RealignScore(
                new HeadModel(bench.Matrix(hidden), bench.Weight(reference, 0)), new HeadModel(bench.Matrix(hidden), weight), Vocabulary, bench.Ints([3, 19]),
                bench.Buffer<float>([0.5f]), 1, statistics, logits);
            Matrix y = bench.Zeros(Rows, Vocabulary);
            set.Linear(bench.Matrix(hidden), unaligned(bench), null, y);
            set.Run();
            byte[] scores = [.. Bytes(bench.Read<ScoreStatistic>(statistics, Rows)), .. Bytes(bench.Read<TargetLogits>(logits, Rows))];
            return (scores, bench.Read(y));
        }

        static byte[] Bytes<T>(T[] values)
            where T : unmanaged => System.Runtime.InteropServices.MemoryMarshal.AsBytes<T>(values).ToArray();
    }

    [Test]
    public void Other_sets_say_that_they_do_not_read_padded_rows()
    {
        using var naive = new NaiveKernelSet();
        using var bench = new Workbench(naive);
        Weight weight = bench.Weight(new TestData("refused").Weight(DType.BF16, 3, 8), 0) with { Columns = 5, RowPadding = 3 };
        Assert.That(
            () => naive.Linear(bench.Zeros(1, 5), weight, null, bench.Zeros(1, 3)),
            Throws.ArgumentException.With.Message.EqualTo("weight: rows of 5 are 8 elements apart, which this kernel set does not read"));
    }
}

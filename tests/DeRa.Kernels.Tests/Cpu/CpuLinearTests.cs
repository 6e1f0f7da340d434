using DeRa.Kernels.Cpu;

namespace DeRa.Kernels.Tests.Cpu;

/// <summary>y = x · Wᵀ + b on the Cpu set: odd shapes against float64, and the same bits in every form.</summary>
[TestFixture]
public sealed class CpuLinearTests
{
    private static readonly DType[] DTypes = [DType.BF16, DType.F16, DType.F32];
    private static readonly int[] Inputs = [1, 15, 16, 123, 507, 512];
    private static readonly int[] Outputs = [1, 7, 48, 123, 255];

    [Test]
    public void Matches_float64_for_odd_shapes([ValueSource(nameof(DTypes))] DType dtype, [Values] bool inputMajor)
    {
        using var set = new CpuKernelSet(2);
        foreach (int k in Inputs)
        {
            foreach (int n in Outputs)
            {
                foreach (int rows in new[] { 1, 2, 3, 4, 7, 37 })
                {
                    Check(set, dtype, inputMajor, k, n, rows);
                }
            }
        }
    }

    /// <summary>4096 inputs fill half of a first-level cache: weights come as eight streams, at an even or an odd distance.</summary>
    [Test]
    public void Matches_float64_where_one_row_fills_the_cache([ValueSource(nameof(DTypes))] DType dtype, [Values(4096, 4123, 5632)] int k)
    {
        using var set = new CpuKernelSet(2);
        foreach (int n in new[] { 1, 15, 33, 150 })
        {
            Check(set, dtype, inputMajor: false, k, n, rows: 1);
        }
    }

    private static void Check(CpuKernelSet set, DType dtype, bool inputMajor, int k, int n, int rows)
    {
        using var tensors = new CpuTensors(set, 1);
        float[] x = tensors.Normal(rows * k), w = tensors.Normal(n * k), b = tensors.Normal(n), before = tensors.Normal(rows * n);
        Weight weight = tensors.Weight(w, n, k, dtype, inputMajor), bias = tensors.Weight(b, 1, n, dtype);
        Matrix input = tensors.Matrix(x, k), y = tensors.Empty(rows, n), sum = tensors.Matrix(before, n);
        set.Linear(input, weight, bias, y);
        set.Linear(input, weight, null, sum, accumulate: true);
        set.Run();

        float[] got = tensors.Read(y), added = tensors.Read(sum);
        for (int i = 0; i < got.Length; i++)
        {
            int row = i / n, column = i % n;
            double expected = 0, size = Math.Abs(b[column]) + Math.Abs(before[i]);
            for (int j = 0; j < k; j++)
            {
                double term = (double)x[row * k + j] * w[column * k + j];
                expected += term;
                size += Math.Abs(term);
            }

            // A float32 sum of k terms in eight lanes rounds k/8 + 3 times, each within 2^-24 of the running size.
            double allowed = size * (k / 8 + 6) * Math.Pow(2, -24);
            string where = $"{dtype} K={k} N={n} rows={rows} [{row}, {column}]";
            Assert.That(got[i], Is.EqualTo(expected + b[column]).Within(allowed), where);
            Assert.That(added[i], Is.EqualTo(expected + before[i]).Within(allowed), where);
        }
    }

    [Test]
    public void A_row_has_the_same_bits_for_any_number_of_rows_and_workers(
        [ValueSource(nameof(DTypes))] DType dtype, [Values] bool inputMajor, [Values(123, 256)] int k) =>
        SameBits(dtype, inputMajor, k, outputs: 131, [2, 3, 4, 6, 7, 8, 13, 33, 41]);

    [Test]
    public void A_row_read_as_eight_streams_has_the_bits_of_one_among_others([ValueSource(nameof(DTypes))] DType dtype) =>
        SameBits(dtype, inputMajor: false, k: 4104, outputs: 67, [2, 3, 4]);

    private static void SameBits(DType dtype, bool inputMajor, int k, int outputs, int[] rowCounts)
    {
        int most = rowCounts.Max();
        float[]? alone = null;
        foreach (int workers in new[] { 1, 2, 3 })
        {
            using var set = new CpuKernelSet(workers);
            using var tensors = new CpuTensors(set, 2);
            float[] x = tensors.Normal(most * k);
            Weight weight = tensors.Weight(tensors.Normal(outputs * k), outputs, k, dtype, inputMajor);
            Matrix input = tensors.Matrix(x, k), y = tensors.Empty(most, outputs);
            if (alone is null)
            {
                for (int row = 0; row < most; row++)
                {
                    set.Linear(input with { Offset = row * k, Rows = 1 }, weight, null, y with { Offset = row * outputs, Rows = 1 });
                }

                set.Run();
                alone = tensors.Read(y);
            }

            foreach (int rows in rowCounts)
            {
                set.Linear(input.Take(rows), weight, null, y.Take(rows));
                set.Run();
                Assert.That(tensors.Read(y.Take(rows)), Is.EqualTo(alone[..(rows * outputs)]), $"{workers} workers, {rows} rows");
            }
        }
    }

    [Test]
    public void Projections_of_one_x_become_one_operation_and_keep_their_bits([Values(1, 3, 9)] int rows, [Values(1, 2, 3)] int workers)
    {
        const int K = 100;
        int[] outputs = [70, 13, 13, 200, 5, 48];
        int width = outputs.Sum();
        using var set = new CpuKernelSet(workers);
        using var tensors = new CpuTensors(set, 3);
        Matrix x = tensors.Matrix(tensors.Normal(rows * K), K), together = tensors.Empty(rows, width), apart = tensors.Empty(rows, width);
        Weight[] weights = [.. outputs.Select(n => tensors.Weight(tensors.Normal(n * K), n, K, DType.BF16))];
        foreach (bool atOnce in new[] { true, false })
        {
            int column = 0;
            for (int i = 0; i < outputs.Length; i++)
            {
                set.Linear(x, weights[i], null, (atOnce ? together : apart).Slice(column, outputs[i]));
                column += outputs[i];
                if (!atOnce)
                {
                    set.Run();
                }
            }

            set.Run();
        }

        Assert.That(tensors.Read(together), Is.EqualTo(tensors.Read(apart)).And.Some.Not.Zero);
    }

    [Test]
    public void Projections_into_the_same_outputs_stay_in_order([Values(1, 4)] int workers)
    {
        const int K = 64, N = 300;
        using var set = new CpuKernelSet(workers);
        using var tensors = new CpuTensors(set, 4);
        Matrix x = tensors.Matrix(tensors.Normal(K), K), y = tensors.Empty(1, N), once = tensors.Empty(1, N);
        Weight weight = tensors.Weight(tensors.Normal(N * K), N, K, DType.F32);
        set.Linear(x, weight, null, once);
        set.Run();
        float[] expected = [.. tensors.Read(once).Select(value => 2 * value)];
        for (int step = 0; step < 200; step++)
        {
            set.Linear(x, weight, null, y);
            set.Linear(x, weight, null, y, accumulate: true);
            set.Run();
            Assert.That(tensors.Read(y), Is.EqualTo(expected), $"step {step}");
        }
    }
}

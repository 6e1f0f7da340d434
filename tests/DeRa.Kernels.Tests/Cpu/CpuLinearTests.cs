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
        [ValueSource(nameof(DTypes))] DType dtype, [Values] bool inputMajor, [Values(123, 256)] int k)
    {
        const int N = 131, Rows = 41;
        float[]? alone = null;
        foreach (int workers in new[] { 1, 2, 3 })
        {
            using var set = new CpuKernelSet(workers);
            using var tensors = new CpuTensors(set, 2);
            float[] x = tensors.Normal(Rows * k);
            Weight weight = tensors.Weight(tensors.Normal(N * k), N, k, dtype, inputMajor);
            Matrix input = tensors.Matrix(x, k), y = tensors.Empty(Rows, N);
            if (alone is null)
            {
                for (int row = 0; row < Rows; row++)
                {
                    set.Linear(input with { Offset = row * k, Rows = 1 }, weight, null, y with { Offset = row * N, Rows = 1 });
                }

                set.Run();
                alone = tensors.Read(y);
            }

            foreach (int rows in new[] { 2, 3, 4, 6, 7, 33, Rows })
            {
                set.Linear(input.Take(rows), weight, null, y.Take(rows));
                set.Run();
                Assert.That(tensors.Read(y.Take(rows)), Is.EqualTo(alone[..(rows * N)]), $"{workers} workers, {rows} rows");
            }
        }
    }
}

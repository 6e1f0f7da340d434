using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Tests;

/// <summary>C_ij = Σ_k A_ik·B_kj, one fused multiply-add chain over k: the vector code must give the same bits as this loop.</summary>
public class GemmTests
{
    [Test]
    public void Product_equals_the_scalar_chain_bit_for_bit(
        [Values(1, 3, 4, 9)] int rows, [Values(1, 31, 32, 37, 70)] int columns, [Values(1, 123)] int depth, [Values] bool transposed, [Values] bool accumulate)
    {
        DeterministicRandom random = new(31);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)random.NextGaussian())];
        float[] a = Values(rows * depth), b = Values(depth * columns), c = Values(rows * columns);
        Matrix<float> left = transposed ? new Matrix<float>(a, depth, rows).Transposed : new Matrix<float>(a, rows, depth);
        Matrix<float> right = transposed ? new Matrix<float>(b, columns, depth).Transposed : new Matrix<float>(b, depth, columns);

        float[] expected = [.. c];
        for (int i = 0; i < rows; i++)
        {
            for (int j = 0; j < columns; j++)
            {
                float sum = 0;
                for (int k = 0; k < depth; k++)
                    sum = MathF.FusedMultiplyAdd(left.Data[i * left.RowStride + k * left.ColumnStride], right.Data[k * right.RowStride + j * right.ColumnStride], sum);
                expected[i * columns + j] = accumulate ? expected[i * columns + j] + sum : sum;
            }
        }

        Gemm.Multiply(new Workers(2), left, right, c, accumulate);

        Assert.That(c, Is.EqualTo(expected));
    }
}

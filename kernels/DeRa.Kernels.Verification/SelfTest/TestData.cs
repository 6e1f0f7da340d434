namespace DeRa.Kernels.Verification;

/// <summary>Pseudo-random inputs that depend on a name alone.</summary>
internal sealed class TestData(string name)
{
    private readonly Random random = new(Hash(name));

    public int Below(int limit) => random.Next(limit);

    /// <summary>A permutation of 0 … n − 1.</summary>
    public int[] Permutation(int n)
    {
        int[] order = [.. Enumerable.Range(0, n)];
        random.Shuffle(order);
        return order;
    }

    /// <summary>Tokens or rows in [0, limit).</summary>
    public int[] Indices(int count, int limit) => [.. Enumerable.Range(0, count).Select(_ => random.Next(limit))];

    /// <summary>Normal values with one standard deviation.</summary>
    public float[,] Matrix(int rows, int columns, double deviation = 1, double mean = 0)
    {
        var values = new float[rows, columns];
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                values[row, column] = (float)(mean + deviation * Normal());
            }
        }

        return values;
    }

    public HostWeight Weight(DType dtype, int rows, int columns, bool inputMajor = false, double deviation = 1, double mean = 0) =>
        new(dtype, Matrix(rows, columns, deviation, mean), inputMajor);

    public double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>FNV-1a: string.GetHashCode differs from process to process.</summary>
    private static int Hash(string name)
    {
        uint hash = 2166136261;
        foreach (char c in name)
        {
            hash = (hash ^ c) * 16777619;
        }

        return (int)hash;
    }
}

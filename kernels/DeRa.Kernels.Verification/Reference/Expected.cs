namespace DeRa.Kernels.Verification;

/// <summary>
/// What an oracle says of an operation: the float64 value of each output and ε, how far a float32 program may be off by rounding alone.
/// A kernel passes where |gt − kernel| ≤ c·|gt − ref| + ε, with ref the naive float32 program (docs/numerics.md).
/// </summary>
/// <param name="Value">[rows, columns], float64.</param>
/// <param name="Epsilon">[rows, columns], derived by each oracle from its own terms with <see cref="Rounding"/>.</param>
public sealed record Expected(double[,] Value, double[,] Epsilon)
{
    /// <summary>Rows of both arrays.</summary>
    public int Rows => Value.GetLength(0);

    /// <summary>Columns of both arrays.</summary>
    public int Columns => Value.GetLength(1);

    /// <summary>Zeros to fill.</summary>
    internal static Expected Zeros(int rows, int columns) => new(new double[rows, columns], new double[rows, columns]);

    /// <summary>Fills element by element with (value, ε).</summary>
    internal static Expected Of(int rows, int columns, Func<int, int, (double Value, double Epsilon)> element)
    {
        Expected expected = Zeros(rows, columns);
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                (expected.Value[row, column], expected.Epsilon[row, column]) = element(row, column);
            }
        }

        return expected;
    }
}

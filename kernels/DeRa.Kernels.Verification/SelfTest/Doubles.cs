namespace DeRa.Kernels.Verification;

/// <summary>float32 data as the float64 arrays that oracles take.</summary>
internal static class Doubles
{
    public static double[,] From(float[,] values)
    {
        var result = new double[values.GetLength(0), values.GetLength(1)];
        for (int row = 0; row < result.GetLength(0); row++)
        {
            for (int column = 0; column < result.GetLength(1); column++)
            {
                result[row, column] = values[row, column];
            }
        }

        return result;
    }
}

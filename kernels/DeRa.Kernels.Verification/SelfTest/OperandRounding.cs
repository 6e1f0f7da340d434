namespace DeRa.Kernels.Verification;

/// <summary>Rounding to nearest, ties to even, as <see cref="KernelSet.ProjectionType"/> promises.</summary>
internal static class OperandRounding
{
    /// <summary>The values as the type holds them; float32 are the same array.</summary>
    public static float[,] Round(float[,] values, DType dtype)
    {
        if (dtype == DType.F32)
        {
            return values;
        }

        var rounded = new float[values.GetLength(0), values.GetLength(1)];
        for (int row = 0; row < rounded.GetLength(0); row++)
        {
            for (int column = 0; column < rounded.GetLength(1); column++)
            {
                rounded[row, column] = Round(values[row, column], dtype);
            }
        }

        return rounded;
    }

    /// <summary>Unit roundoff of a 16-bit type; float32's is part of every ε already.</summary>
    public static double Unit(DType dtype) => dtype switch { DType.F16 => 1.0 / (1 << 11), DType.BF16 => 1.0 / (1 << 8), _ => 0 };

    private static float Round(float value, DType dtype) => dtype switch
    {
        DType.F16 => (float)(Half)value,
        DType.BF16 => BFloat16(BitConverter.SingleToUInt32Bits(value)),
        _ => value,
    };

    private static float BFloat16(uint bits) => BitConverter.UInt32BitsToSingle((bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000);
}

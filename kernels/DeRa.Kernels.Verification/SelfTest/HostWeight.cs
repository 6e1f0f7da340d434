using System.Runtime.InteropServices;

namespace DeRa.Kernels.Verification;

/// <summary>A weight on the host: bytes as a checkpoint holds them, and the exact values that they stand for.</summary>
internal sealed class HostWeight
{
    public HostWeight(DType dtype, float[,] values, bool inputMajor = false)
    {
        (DType, InputMajor, Rows, Columns) = (dtype, inputMajor, values.GetLength(0), values.GetLength(1));
        Bytes = new byte[Rows * Columns * dtype.Size()];
        Values = new double[Rows, Columns];
        for (int row = 0; row < Rows; row++)
        {
            for (int column = 0; column < Columns; column++)
            {
                Span<byte> at = Bytes.AsSpan((inputMajor ? column * Rows + row : row * Columns + column) * dtype.Size());
                Values[row, column] = Store(values[row, column], at);
            }
        }
    }

    public DType DType { get; }

    public bool InputMajor { get; }

    public int Rows { get; }

    public int Columns { get; }

    public byte[] Bytes { get; }

    /// <summary>What a set has to know to choose a form; without memory.</summary>
    public Weight Shape(KernelSet set) => new(null!, 0, DType, Rows, Columns, InputMajor) { RowPadding = InputMajor ? 0 : set.RowStride(DType, Columns) - Columns };

    /// <summary>[rows, columns], after rounding to the dtype.</summary>
    public double[,] Values { get; }

    /// <summary>The first row, for vectors.</summary>
    public double[] Vector => [.. Enumerable.Range(0, Columns).Select(i => Values[0, i])];

    private double Store(float value, Span<byte> at)
    {
        switch (DType)
        {
            case DType.F32:
                MemoryMarshal.Write(at, value);
                return value;
            case DType.F16:
                var half = (Half)value;
                MemoryMarshal.Write(at, half);
                return (double)half;
            default:
                ushort upper = (ushort)((BitConverter.SingleToUInt32Bits(value) + 0x8000) >> 16); // nearest, ties up: any rounding will do
                MemoryMarshal.Write(at, upper);
                return BitConverter.UInt32BitsToSingle((uint)upper << 16);
        }
    }
}

using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>A <see cref="Matrix"/> as a kernel sees it.</summary>
internal struct MatrixView
{
    public ArrayView<float> Data;
    public long Offset;
    public int Rows;
    public int Columns;
    public int RowStride;

    /// <summary>Index of the first element of a row in <see cref="Data"/>.</summary>
    public readonly long Row(int row) => Offset + (long)row * RowStride;
}

/// <summary>An <see cref="IntVector"/> as a kernel sees it.</summary>
internal struct IntView
{
    public ArrayView<int> Data;
    public long Offset;

    public readonly int At(long index) => Data[Offset + index];
}

/// <summary>
/// A weight as a kernel sees it: the buffer in 16-bit units and the first element, counted in elements of the storage type. A missing weight
/// has <see cref="IsPresent"/> 0.
/// </summary>
internal struct WeightView
{
    public ArrayView<ushort> Data;
    public long Offset;
    public int DType;
    public int IsPresent;

    /// <summary>Elements from a row of an output-major matrix to the next.</summary>
    public int RowStride;

    /// <summary>One element, decoded by a branch on the storage type: for vectors and tables, where decoding is not what costs.</summary>
    public readonly float At(long index) => DType == (int)Kernels.DType.BF16 ? WeightBits.BFloat16(Data[Offset + index])
        : DType == (int)Kernels.DType.F16 ? WeightBits.Float16(Data[Offset + index])
        : WeightBits.Float32(Data[2 * (Offset + index)], Data[2 * (Offset + index) + 1]);
}

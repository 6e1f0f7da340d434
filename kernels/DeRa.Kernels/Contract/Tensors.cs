namespace DeRa.Kernels;

/// <summary>
/// Float32 activations: a row-major window [<paramref name="Rows"/>, <paramref name="Columns"/>] of a buffer, rows
/// <paramref name="RowStride"/> floats apart, the first at <paramref name="Offset"/> floats.
/// </summary>
public readonly record struct Matrix(DeviceBuffer Buffer, long Offset, int Rows, int Columns, int RowStride)
{
    /// <summary>A dense matrix at the start of <paramref name="buffer"/>.</summary>
    public static Matrix Dense(DeviceBuffer buffer, int rows, int columns) => new(buffer, 0, rows, columns, columns);

    /// <summary>The columns [<paramref name="from"/>, from + <paramref name="count"/>) of the same rows.</summary>
    public Matrix Slice(int from, int count) => this with { Offset = Offset + from, Columns = count };

    /// <summary>The first <paramref name="rows"/> rows.</summary>
    public Matrix Take(int rows) => this with { Rows = rows };
}

/// <summary>
/// A weight in its checkpoint dtype: row-major [<paramref name="Rows"/>, <paramref name="Columns"/>], dense but for
/// <see cref="RowPadding"/>, at <paramref name="ByteOffset"/> bytes of a read-only buffer. Vectors have one row. On the Cpu set it may point into a
/// mapped file, so no alignment beyond that of a byte is promised there; other sets align every weight to 256 bytes.
/// </summary>
/// <param name="Buffer">Where the elements are.</param>
/// <param name="ByteOffset">First element, in bytes.</param>
/// <param name="DType">Storage type.</param>
/// <param name="Rows">Output features of a projection, entries of a table, or 1.</param>
/// <param name="Columns">Input features of a projection, width of a table entry, or the length of a vector.</param>
/// <param name="InputMajor">
/// The matrix of a projection is stored transposed, as GPT-2's Conv1D does: memory holds [<paramref name="Columns"/>,
/// <paramref name="Rows"/>]. Rows and Columns keep their meaning of output and input features.
/// </param>
public readonly record struct Weight(DeviceBuffer Buffer, long ByteOffset, DType DType, int Rows, int Columns, bool InputMajor = false)
{
    /// <summary>Zeros behind each row of an output-major matrix, in elements: none, or what the set asks for by <see cref="KernelSet.RowStride"/>.</summary>
    public int RowPadding { get; init; }

    /// <summary>Elements from a row of an output-major matrix to the next.</summary>
    public int RowStride => Columns + RowPadding;

    /// <summary>Size in bytes.</summary>
    public long ByteLength => (long)Rows * RowStride * DType.Size();

    /// <summary>The entries [<paramref name="from"/>, from + <paramref name="count"/>) of an output-major matrix.</summary>
    public Weight SliceRows(int from, int count) => InputMajor
        ? throw new InvalidOperationException("the rows of an input-major weight are not contiguous")
        : this with { ByteOffset = ByteOffset + (long)from * RowStride * DType.Size(), Rows = count };
}

/// <summary>32-bit integers on the device: <paramref name="Length"/> of them, the first at <paramref name="Offset"/> elements.</summary>
public readonly record struct IntVector(DeviceBuffer Buffer, long Offset, int Length);

namespace DeRa.PairTrainer.Numerics;

/// <summary>A view of an array as a matrix: element (row, column) lies at row·RowStride + column·ColumnStride.</summary>
internal readonly record struct Matrix<T>(T[] Data, int Rows, int Columns, int RowStride, int ColumnStride)
{
    /// <summary>A contiguous row-major matrix [rows, columns].</summary>
    public Matrix(T[] data, int rows, int columns)
        : this(data, rows, columns, columns, 1)
    {
    }

    /// <summary>The same elements with rows and columns exchanged.</summary>
    public Matrix<T> Transposed => new(Data, Columns, Rows, ColumnStride, RowStride);
}

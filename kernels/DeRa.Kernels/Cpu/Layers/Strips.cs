namespace DeRa.Kernels.Cpu;

/// <summary>
/// Cuts a matrix into strips of a row for element-wise operations, so that one long row is work for every worker. Strips are whole cache lines
/// where rows are: no line is written by two workers.
/// </summary>
internal readonly struct Strips(int rows, int columns)
{
    private const int Width = 512;

    private readonly int columns = columns, perRow = (columns + Width - 1) / Width;

    /// <summary>Strips of the matrix.</summary>
    public long Count => (long)rows * perRow;

    /// <summary>Where a strip lies.</summary>
    public void Locate(long strip, out long row, out int column, out int count)
    {
        row = strip / perRow;
        column = (int)(strip % perRow) * Width;
        count = Math.Min(Width, columns - column);
    }
}

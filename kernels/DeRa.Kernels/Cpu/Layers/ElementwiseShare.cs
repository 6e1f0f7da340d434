namespace DeRa.Kernels.Cpu;

/// <summary>
/// Cuts a matrix into strips of a row for element-wise operations, so that one long row is work for every worker. Strips are whole cache lines
/// where rows are: no line is written by two workers.
/// </summary>
internal readonly struct ElementwiseShare
{
    private const int Strip = 512;

    private readonly int columns, stripsPerRow;

    /// <summary>The strips [From, To) of the worker.</summary>
    public readonly long From, To;

    public ElementwiseShare(Worker worker, int rows, int columns)
    {
        this.columns = columns;
        stripsPerRow = (columns + Strip - 1) / Strip;
        worker.Share((long)rows * stripsPerRow, out From, out To);
    }

    /// <summary>Where a strip lies.</summary>
    public void Locate(long strip, out long row, out int column, out int count)
    {
        row = strip / stripsPerRow;
        column = (int)(strip % stripsPerRow) * Strip;
        count = Math.Min(Strip, columns - column);
    }
}

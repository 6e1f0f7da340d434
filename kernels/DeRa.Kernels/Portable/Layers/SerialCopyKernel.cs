namespace DeRa.Kernels.Portable;

/// <summary>y = x, the rows of y apart as it says. Bound: bytes moved.</summary>
internal static class SerialCopyKernel
{
    public static void Run(SerialCopyArgs args)
    {
        int columns = args.X.Columns, row = Elementwise.Row(columns), first = Elementwise.First(columns), end = Elementwise.End(columns);
        long x = args.X.Row(row), y = args.Y.Row(row);
        for (int i = first; i < end; i++)
        {
            args.Y.Data[y + i] = args.X.Data[x + i];
        }
    }
}

/// <summary>Arguments of <see cref="SerialCopyKernel"/>.</summary>
internal struct SerialCopyArgs
{
    public MatrixView X;
    public MatrixView Y;
}

using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// Activations rounded to a 16-bit type, [rows, columns], columns with zeros behind them to a multiple of eight. Bound: 4 + 2 bytes an element. Not measured yet.
/// </summary>
internal static class RoundKernel<TFormat>
    where TFormat : struct, ITensorFormat
{
    public static void Run(RoundArgs args)
    {
        int columns = Fragments.Padded(args.X.Columns), row = Elementwise.Row(columns);
        int first = (Grid.IdxX % ((columns + Elementwise.Chunk - 1) / Elementwise.Chunk)) * Elementwise.Chunk;
        int end = Elementwise.End(columns);
        for (int k = first + Fragments.Load * Group.IdxX; k < end; k += Fragments.Load * Group.DimX)
        {
            args.Rounded[((long)row * columns + k) / Fragments.Load] = Fragments.Round<TFormat>(args.X, row, k);
        }
    }
}

/// <summary>Arguments of <see cref="RoundKernel{TFormat}"/>.</summary>
internal struct RoundArgs
{
    public MatrixView X;

    /// <summary>[rows, columns / 8], columns rounded up.</summary>
    public ArrayView<Quad> Rounded;
}

using System.Runtime.InteropServices;
using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// Activations rounded to a 16-bit type as <see cref="WarpgroupLinearKernel{TFormat}"/> reads them: the sixteen inputs of each product by
/// <see cref="Fragments"/> next to each other, rows padded with zeros to whole stages. Bound: 4 + 2 bytes an element. Not measured yet.
/// </summary>
internal static class OrderedRoundKernel<TFormat>
    where TFormat : struct, ITensorFormat
{
    /// <summary>Elements from a row to the next.</summary>
    public static int Stride(int columns) => (columns + Warpgroup.Depth - 1) / Warpgroup.Depth * Warpgroup.Depth;

    public static void Run(OrderedRoundArgs args)
    {
        int columns = Stride(args.X.Columns), row = Elementwise.Row(columns);
        int first = Grid.IdxX % ((columns + Elementwise.Chunk - 1) / Elementwise.Chunk) * Elementwise.Chunk, end = Elementwise.End(columns);
        for (int k = first + Fragments.Load * Group.IdxX; k < end; k += Fragments.Load * Group.DimX)
        {
            Quad rounded = Fragments.Round<TFormat>(args.X, row, k);
            long block = ((long)row * columns + k / Fragments.Block * Fragments.Block) / 4;
            int place = k % Fragments.Block / Fragments.Load;
            args.Rounded[block + place] = new() { X = rounded.X, Y = rounded.Y };
            args.Rounded[block + Fragments.Loads + place] = new() { X = rounded.Z, Y = rounded.W };
        }
    }
}

/// <summary>Four elements of a 16-bit type.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Four
{
    public uint X;
    public uint Y;
}

/// <summary>Arguments of <see cref="OrderedRoundKernel{TFormat}"/>.</summary>
internal struct OrderedRoundArgs
{
    public MatrixView X;

    /// <summary>[rows, stride / 4].</summary>
    public ArrayView<Four> Rounded;
}

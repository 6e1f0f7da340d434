using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// y = x·Wᵀ (+ bias), or y += …. Bound: the weight's bytes for few rows, 2·rows·in·out FLOPs for many. A group owns a tile of outputs and walks
/// over its rows in blocks of four, so that the tile's weights stay in the cache; grid = tiles × row ranges.
/// </summary>
internal static class LinearKernel<TProjector>
    where TProjector : struct, IProjector
{
    public static void Run(LinearArgs args)
    {
        ArrayView<float> sums = SharedMemory.Allocate<float>(ProjectionRows.Block * LinearArgs.LargestTile);
        ArrayView<float> scratch = TProjector.Scratch();
        int tiles = (args.Y.Columns + args.Tile - 1) / args.Tile;
        int from = Grid.IdxX % tiles * args.Tile, outputs = IntrinsicMath.Min(args.Tile, args.Y.Columns - from);
        int firstRow = Grid.IdxX / tiles * args.RowsPerGroup;
        int endRow = IntrinsicMath.Min(firstRow + args.RowsPerGroup, args.X.Rows);
        for (int block = firstRow; block < endRow; block += ProjectionRows.Block)
        {
            var size = new ProjectionSize
            {
                Depth = args.X.Columns,
                Outputs = outputs,
                Rows = IntrinsicMath.Min(ProjectionRows.Block, endRow - block),
                Stride = args.W.RowStride,
            };
            if (args.InputMajor != 0)
            {
                TProjector.Columns(
                    args.W.Data, args.W.Offset + from, args.Y.Columns, args.X.Data, args.X.Row(block), args.X.RowStride, size, sums, args.Tile);
            }
            else
            {
                TProjector.Rows(
                    args.W.Data, args.W.Offset + (long)from * size.Stride, args.X.Data, args.X.Row(block), args.X.RowStride, size, sums,
                    args.Tile, scratch);
            }

            for (int i = Group.IdxX; i < size.Rows * outputs; i += Group.DimX)
            {
                int row = i / outputs, output = i % outputs;
                args.Write(block + row, from + output, sums[row * args.Tile + output]);
            }

            TProjector.Barrier(); // before the sums are overwritten
        }
    }
}

/// <summary>Arguments of <see cref="LinearKernel{TProjector}"/>.</summary>
internal struct LinearArgs
{
    /// <summary>Most outputs of a tile.</summary>
    public const int LargestTile = 32;

    public MatrixView X;
    public WeightView W;
    public WeightView Bias;
    public MatrixView Y;
    public int Accumulate;
    public int InputMajor;
    public int Tile;
    public int RowsPerGroup;

    /// <summary>Adds what belongs to a sum and stores it.</summary>
    public readonly void Write(int row, int output, float sum)
    {
        long at = Y.Row(row) + output;
        float y = Bias.IsPresent != 0 ? sum + Bias.At(output) : sum;
        Y.Data[at] = Accumulate != 0 ? Y.Data[at] + y : y;
    }
}

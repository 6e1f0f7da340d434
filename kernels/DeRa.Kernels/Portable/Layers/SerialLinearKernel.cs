using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// y = x·Wᵀ (+ bias), or y += …, for up to three weights over the same x in one launch: a processor pays for launches, and an attention layer's queries,
/// keys and values or an MLP's gate and up projection wait for nothing but x. Bound: the weights' bytes for few rows, 2·rows·in·out FLOPs for
/// many. A work-item owns a tile of outputs of one weight and takes all rows through it, straight into y; grid: the weights' tiles.
/// </summary>
internal static class SerialLinearKernel<TFormat>
    where TFormat : struct, IWeightFormat
{
    public static void Run(SerialLinearArgs args)
    {
        // One call for whichever weight it is: the tiles' code is long.
        int index = Grid.IdxX, second = args.First.Tiles, third = second + args.Second.Tiles;
        SerialLinearPart part = index < second ? args.First : index < third ? args.Second : args.Third;
        int tile = index < second ? index : index < third ? index - second : index - third;
        int from = tile * args.Tile, outputs = IntrinsicMath.Min(args.Tile, part.Y.Columns - from), depth = args.X.Columns;
        ref float x = ref args.X.Data[args.X.Offset], y = ref part.Y.Data[part.Y.Offset + from];
        if (args.InputMajor != 0)
        {
            SerialTile.Columns(
                ref part.W.Data[TFormat.Units * (part.W.Offset + from)], ref x, ref y, depth, outputs, args.X.Rows, args.X.RowStride,
                part.Y.RowStride, part.Y.Columns, args.Accumulate, TFormat.Code);
        }
        else
        {
            SerialTile.Rows(
                ref part.W.Data[TFormat.Units * (part.W.Offset + (long)from * depth)], ref x, ref y, depth, outputs, args.X.Rows,
                args.X.RowStride, part.Y.RowStride, args.Accumulate, SerialTile.ManyRows, TFormat.Code);
        }

        if (part.Bias.IsPresent != 0)
        {
            for (int row = 0; row < args.X.Rows; row++)
            {
                for (int i = from; i < from + outputs; i++)
                {
                    part.Y.Data[part.Y.Row(row) + i] += part.Bias.At(i);
                }
            }
        }
    }
}

/// <summary>One weight of a <see cref="SerialLinearKernel{TFormat}"/>; Tiles 0 is none.</summary>
internal struct SerialLinearPart
{
    public WeightView W;
    public WeightView Bias;
    public MatrixView Y;
    public int Tiles;
}

/// <summary>Arguments of <see cref="SerialLinearKernel{TFormat}"/>.</summary>
internal struct SerialLinearArgs
{
    /// <summary>Most weights of a launch.</summary>
    public const int MostParts = 3;

    /// <summary>Most outputs of a tile: their weights stay in the second-level cache while the rows pass.</summary>
    public const int LargestTile = 48;

    /// <summary>Most outputs of a tile for rows that read weights as streams.</summary>
    public const int LargestTileOfStreams = 192;

    public MatrixView X;
    public SerialLinearPart First;
    public SerialLinearPart Second;
    public SerialLinearPart Third;
    public int Accumulate;
    public int InputMajor;
    public int Tile;
}

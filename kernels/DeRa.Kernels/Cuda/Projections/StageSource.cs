using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// Where the operands of a tile come from and how they lie in a stage of <see cref="Warpgroup"/>: a stage's pieces are dealt out to 256 shares, each of which keeps its
/// columns from stage to stage.
/// </summary>
internal static class StageSource<TFormat>
    where TFormat : struct, ITensorFormat
{
    private const int OperandBytes = Warpgroup.StageBytes / 2;

    // Pieces of a line of weights, and of a row of activations, in half a stage.
    private const int WeightColumns = Warpgroup.LineBytes / 8, ActivationColumns = Warpgroup.LineBytes / 16;

    /// <summary>Stages of all inputs; the last may be partial.</summary>
    public static int Stages(int depth) => (depth + Warpgroup.Depth - 1) / Warpgroup.Depth;

    /// <summary>Where a share is copied from. Lines and rows past the end repeat the last one and are dropped.</summary>
    public static StageCopies Copies(TensorLinearArgs args, LinearPart part, LinearTile tile, int share)
    {
        int depth = args.Depth, line = share / WeightColumns, first = tile.FirstLine / Fragments.Outputs;
        long k = 4 * (share % WeightColumns), row = tile.FirstRow + share / ActivationColumns;
        int column = Fragments.Load * (share % ActivationColumns);
        return new()
        {
            W0 = Weights(part, first, line, depth, k),
            W1 = Weights(part, first + 1, line, depth, k),
            W2 = Weights(part, first + 2, line, depth, k),
            W3 = Weights(part, first + 3, line, depth, k),
            W4 = Weights(part, first + 4, line, depth, k),
            W5 = Weights(part, first + 5, line, depth, k),
            W6 = Weights(part, first + 6, line, depth, k),
            W7 = Weights(part, first + 7, line, depth, k),
            X0 = Activations(args, row, column),
            X1 = Activations(args, row + Warpgroup.ActivationRows, column),
            X2 = Activations(args, row + 2 * Warpgroup.ActivationRows, column),
            X3 = Activations(args, row + 3 * Warpgroup.ActivationRows, column),
        };
    }

    /// <summary>
    /// Where a share's pieces lie in a stage, through the swizzle. A piece of weights is half of a lane's 16-byte load by <see cref="Fragments"/>: piece 2t + h of a
    /// block is the t-th quarter of product h, a product two columns of sixteen bytes.
    /// </summary>
    public static StageStep Piece(int share)
    {
        int line = share / WeightColumns, piece = share % WeightColumns;
        int column = piece / 8 * 4 + piece % 2 * 2 + piece / 4 % 2;
        int row = share / ActivationColumns, rowColumn = share % ActivationColumns;
        return new()
        {
            ToWeights = line * Warpgroup.LineBytes + 16 * (column ^ line % 8) + 8 * (piece / 2 % 2),
            ToActivations = OperandBytes + row * Warpgroup.LineBytes + 16 * (rowColumn ^ row % 8),
            First = 4 * piece,
        };
    }

    /// <summary>
    /// A stage's copies: <paramref name="step"/> of <paramref name="last"/>, to shared address <paramref name="stage"/>. Past the end of the inputs zeros, and
    /// activations again that nothing multiplies. Without divisions, which ILGPU leaves in the loop.
    /// </summary>
    public static StageStep Step(StageStep piece, int stage, int step, int last, int depth)
    {
        int left = depth - step * Warpgroup.Depth - piece.First;
        return new()
        {
            Weights = (long)step * (Warpgroup.Depth * sizeof(ushort)),
            Activations = (long)IntrinsicMath.Min(step, last - 1) * (Warpgroup.Depth * sizeof(ushort)),
            ToWeights = stage + piece.ToWeights,
            ToActivations = stage + piece.ToActivations,
            First = 8 * IntrinsicMath.Clamp(left, 0, 1),
            Second = 8 * IntrinsicMath.Clamp(left - Warpgroup.Half, 0, 1),
        };
    }

    // Read where it is inside the line.
    private static long Weights(LinearPart part, int tile, int line, int depth, long k) =>
        Address.OfDevice(ref part.Data(line)[part.Weights(tile, line, depth)]) + sizeof(ushort) * k;

    private static long Activations(TensorLinearArgs args, long row, int column) => Address.OfDevice(
        ref args.Rounded[IntrinsicMath.Min(row, args.X.Rows - 1) * OrderedRoundKernel<TFormat>.Stride(args.Depth) + column]);
}

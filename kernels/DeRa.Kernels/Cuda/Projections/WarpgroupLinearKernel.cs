using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// <see cref="TiledLinearKernel{TFormat}"/> by wgmma, for sm_90a: a tile of 128 lines × 128 rows by two warpgroups of 64 lines each, stages of 128 inputs,
/// three of them in shared memory. The tensor cores read both operands there. Bits are those of mma.sync where the device rounds both alike, which
/// <see cref="ProductComparison"/> finds out: weights come in pieces of eight bytes and activations are ordered when they are rounded, so that sixteen inputs
/// next to each other there are those of one product by <see cref="Fragments"/>. Grid and arguments are those of the other kernel, but for
/// <see cref="TensorLinearArgs.Rounded"/>, which is <see cref="OrderedRoundKernel{TFormat}"/>'s.
/// </summary>
/// <remarks>
/// Bound: 2·rows·in·out FLOPs; [2048, 4096] to 28672 are 481 GFLOP, 0.49 ms at 989 TFLOP/s (H100). A stage is 1,024 clocks of wgmma (2,048 dense bf16
/// multiply-adds a clock and multiprocessor), in which the tensor cores read 96 KB of shared memory and copies write 64 KB, 1,280 clocks at 128 bytes; and in which 64 KB come
/// through the L2 cache. So shared memory bounds it at four fifths of the tensor cores' rate, 0.61 ms; between stages the tensor cores are idle for the barrier and
/// their own latency, which no copy is part of, some 15 %: 0.7 ms expected. 128 of a work-item's registers are the sums of the present segment and the total, so
/// two warpgroups have the whole register file and a wider tile has no room for both; nor would there be registers to hand over by setmaxnreg. Not measured yet.
/// </remarks>
internal static class WarpgroupLinearKernel<TFormat>
    where TFormat : struct, ITensorFormat
{
    /// <summary>Shared memory of a group: the stages, wherever it begins.</summary>
    public const int SharedBytes = Stages * Warpgroup.StageBytes + Warpgroup.Alignment;

    private const int Stages = 3, OperandBytes = Warpgroup.StageBytes / 2, StepBlocks = Warpgroup.Depth / Fragments.Block;

    // Pieces of a line of weights, and of a row of activations, in half a stage.
    private const int WeightColumns = Warpgroup.LineBytes / 8, ActivationColumns = Warpgroup.LineBytes / 16;

    public static void Run(TensorLinearArgs args)
    {
        ArrayView<Quad> memory = SharedMemory.GetDynamic<Quad>();
        LinearPart part = args.Part();
        LinearTile tile = LinearTile.Of(args, part);
        int depth = args.Depth, last = (depth + Warpgroup.Depth - 1) / Warpgroup.Depth, segmentSteps = part.SegmentBlocks / StepBlocks;
        int step = tile.Share * part.SegmentsPerGroup * segmentSteps, end = IntrinsicMath.Min(step + part.SegmentsPerGroup * segmentSteps, last);

        // Stages are filled in turn, each while the one after it is multiplied.
        int first = (Warpgroup.SharedAddress(ref memory[0]) + Warpgroup.Alignment - 1) & -Warpgroup.Alignment;
        int present = first, filled = first + 2 * Warpgroup.StageBytes, ownLines = (Group.IdxX & Warpgroup.Size) * (Warpgroup.Lines * Warpgroup.LineBytes / Warpgroup.Size);
        StageCopies copies = Copies(args, part, tile);
        StageStep piece = Piece();
        Warpgroup.Begin(copies, Step(piece, first, step, last, depth));
        Warpgroup.Begin(copies, Step(piece, first + Warpgroup.StageBytes, step + 1, last, depth));
        WarpgroupSums total = default;
        while (step < end)
        {
            int segmentEnd = IntrinsicMath.Min(step + segmentSteps, end);
            WarpgroupSums sums = default;
            for (; step < segmentEnd; step++)
            {
                Warpgroup.Arrive();
                Group.Barrier(); // this stage has arrived for all, and all are done with the one before, which is filled next
                sums = TFormat.MultiplyStage(
                    sums, Warpgroup.Descriptor(present + ownLines), Warpgroup.Descriptor(present + OperandBytes), copies,
                    Step(piece, filled, step + 2, last, depth));
                filled = present;
                present = present == first + 2 * Warpgroup.StageBytes ? first : present + Warpgroup.StageBytes;
            }

            total = WarpgroupSums.Add(total, sums);
        }

        Memory16.WaitForAll();
        tile.End(args, part, total, memory);
    }

    // Lines and rows past the end repeat the last one and are dropped.
    private static StageCopies Copies(TensorLinearArgs args, LinearPart part, LinearTile tile)
    {
        int depth = args.Depth, line = Group.IdxX / WeightColumns, first = tile.FirstLine / Fragments.Outputs;
        long k = 4 * (Group.IdxX % WeightColumns), row = tile.FirstRow + Group.IdxX / ActivationColumns;
        int column = Fragments.Load * (Group.IdxX % ActivationColumns);
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

    // Read where it is inside the line.
    private static long Weights(LinearPart part, int tile, int line, int depth, long k) =>
        Address.OfDevice(ref part.Data(line)[part.Weights(tile, line, depth)]) + sizeof(ushort) * k;

    private static long Activations(TensorLinearArgs args, long row, int column) => Address.OfDevice(
        ref args.Rounded[IntrinsicMath.Min(row, args.X.Rows - 1) * OrderedRoundKernel<TFormat>.Stride(args.Depth) + column]);

    // Where this work-item's pieces lie in a stage, through the swizzle. A piece of weights is half of a lane's 16-byte load by Fragments: piece 2t + h of a block
    // is the t-th quarter of product h, a product two columns of sixteen bytes.
    private static StageStep Piece()
    {
        int line = Group.IdxX / WeightColumns, piece = Group.IdxX % WeightColumns;
        int column = piece / 8 * 4 + piece % 2 * 2 + piece / 4 % 2;
        int row = Group.IdxX / ActivationColumns, rowColumn = Group.IdxX % ActivationColumns;
        return new()
        {
            ToWeights = line * Warpgroup.LineBytes + 16 * (column ^ line % 8) + 8 * (piece / 2 % 2),
            ToActivations = OperandBytes + row * Warpgroup.LineBytes + 16 * (rowColumn ^ row % 8),
            First = 4 * piece,
        };
    }

    // Past the end of the inputs zeros, and activations again that nothing multiplies. Without divisions, which ILGPU leaves in the loop.
    private static StageStep Step(StageStep piece, int stage, int step, int last, int depth)
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
}

using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// y = x·Wᵀ (+ bias), or y += …, for more than 16 rows and one to three weights, or a gate with its up projection: a tile of 128 lines × 128 rows a group,
/// 64 × 32 a warp. Blocks of 32 inputs of both operands
/// come by asynchronous 16-byte copies into three stages of shared memory, two of them on their way while one is multiplied. A group sums all segments
/// of the inputs, or one of them where tiles are few, and then the last group of a tile adds the segments in order. Sums of a gate and an up projection
/// meet in shared memory, 64 rows at a time. Grid: for each weight its tiles of lines × tiles of rows × groups of segments.
/// </summary>
/// <remarks>
/// Bound: 2·rows·in·out FLOPs. A block costs a warp 12 loads of 512 bytes from shared memory and 32 mma; on H100 (2,048 dense bf16 multiply-adds a clock and
/// multiprocessor, 128 bytes of shared memory a clock) that is 256 clocks of mma and 384 of loads for the eight warps, so shared memory bounds it at two
/// thirds of the tensor cores' rate: for [2048, 4096] to 28672, 481 GFLOP, at least 0.73 ms at 989 TFLOP/s and some 1.1 ms expected. Not measured yet.
/// </remarks>
internal static class TiledLinearKernel<TFormat>
    where TFormat : struct, ITensorFormat
{
    private const int Stages = 3, OperandQuads = LinearTile.Size * Fragments.Loads, StageQuads = 2 * OperandQuads;

    private const int StageBytes = StageQuads * Fragments.LoadBytes;

    public static void Run(TensorLinearArgs args)
    {
        ArrayView<Quad> memory = SharedMemory.Allocate<Quad>(Stages * StageQuads);
        LinearPart part = args.Part();
        LinearTile tile = LinearTile.Of(args, part);
        int depth = args.Depth, begin = tile.Share * part.SegmentsPerGroup * part.SegmentBlocks;
        int blocks = IntrinsicMath.Min(part.SegmentsPerGroup * part.SegmentBlocks, (depth + Fragments.Block - 1) / Fragments.Block - begin);
        int segment = part.SegmentBlocks, left = depth - begin * Fragments.Block - LineCopies.Input;

        // Nothing in the loop but additions: stages are filled in turn, and lines read along by a block at a time.
        LineCopies weights = Weights(part, tile, depth, begin, memory), rows = Rows(args, tile, depth, begin, memory);
        int w = Address.OfShared(ref memory[Fragments.Staged(0, WarpSums.WarpLine + Lane.Line, Lane.Place, LinearTile.Size)]);
        int x = Address.OfShared(ref memory[OperandQuads + Fragments.Staged(0, WarpSums.WarpRow + Lane.Line, Lane.Place, LinearTile.Size)]);
        Copy(weights, rows, 0, 0, left);
        left -= Fragments.Block;
        Copy(weights, rows, StageBytes, Fragments.BlockBytes, left);
        long along = 2 * Fragments.BlockBytes;
        int present = 0, filled = 2 * StageBytes;
        WarpSums total = default;
        while (blocks > 0)
        {
            int inSegment = IntrinsicMath.Min(blocks, segment);
            blocks -= inSegment;
            WarpSums sums = default;
            for (; inSegment > 0; inSegment--)
            {
                Memory16.WaitForAllButOne();
                Group.Barrier(); // this block has arrived for all, and all are done with the one before, whose stage is filled next
                left -= Fragments.Block;
                Copy(weights, rows, filled, along, left);
                along += Fragments.BlockBytes;
                sums = WarpSums.Step<TFormat>(sums, w + present, x + present);
                filled = present;
                present = present == 2 * StageBytes ? 0 : present + StageBytes;
            }

            total = WarpSums.Add(total, sums);
        }

        Memory16.WaitForAll();
        tile.End<WarpSums, CooperativeForm>(args, part, total, memory);
    }

    private static void Copy(LineCopies weights, LineCopies rows, int stage, long along, int left)
    {
        weights.Begin(stage, along, left, LinearTile.GroupSize);
        rows.Begin(stage, along, left, LinearTile.GroupSize);
        Memory16.Commit();
    }

    // Two lines 64 apart have the same place in their tiles of sixteen. Lines and rows past the end repeat the last one and are dropped.
    private static LineCopies Weights(LinearPart part, LinearTile tile, int depth, int block, ArrayView<Quad> memory)
    {
        int first = (tile.FirstLine + LineCopies.Line) / Fragments.Outputs, place = LineCopies.Line & (Fragments.Outputs - 1);
        long k = block * Fragments.Block + LineCopies.Input;
        return new()
        {
            First = Device(ref part.Data(place)[part.Weights(first, place, depth)], k),
            Second = Device(ref part.Data(place)[part.Weights(first + LinearTile.Size / 2 / Fragments.Outputs, place, depth)], k),
            To = Address.OfShared(ref memory[Group.IdxX]),
        };
    }

    private static LineCopies Rows(TensorLinearArgs args, LinearTile tile, int depth, int block, ArrayView<Quad> memory)
    {
        long row = tile.FirstRow + LineCopies.Line, last = args.X.Rows - 1, k = block * Fragments.Block + LineCopies.Input;
        return new()
        {
            First = Device(ref args.Rounded[IntrinsicMath.Min(row, last) * depth], k),
            Second = Device(ref args.Rounded[IntrinsicMath.Min(row + LinearTile.Size / 2, last) * depth], k),
            To = Address.OfShared(ref memory[OperandQuads + Group.IdxX]),
        };
    }

    // Read where it is inside the line.
    private static long Device(ref ushort line, long k) => Address.OfDevice(ref line) + sizeof(ushort) * k;
}

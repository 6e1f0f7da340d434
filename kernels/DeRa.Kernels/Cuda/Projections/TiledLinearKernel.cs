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

    // Eight lines of a block.
    private const int EightLines = 8 * Fragments.Loads;

    public static void Run(TensorLinearArgs args)
    {
        ArrayView<Quad> memory = SharedMemory.Allocate<Quad>(Stages * StageQuads);
        LinearPart part = args.Part();
        LinearTile tile = LinearTile.Of(args, part);
        int depth = args.Depth, begin = tile.Segments * part.SegmentsPerGroup * part.SegmentBlocks;
        int end = IntrinsicMath.Min(begin + part.SegmentsPerGroup * part.SegmentBlocks, (depth + Fragments.Block - 1) / Fragments.Block);

        int w = Fragments.Staged(0, WarpSums.WarpLine + Lane.Line, Lane.Place, LinearTile.Size);
        int x = OperandQuads + Fragments.Staged(0, WarpSums.WarpRow + Lane.Line, Lane.Place, LinearTile.Size);
        Copy(args, part, memory, 0, begin, tile);
        Memory16.Commit();
        Copy(args, part, memory, StageQuads, begin + 1, tile);
        Memory16.Commit();
        WarpSums sums = default, total = default;
        int stage = 0, left = part.SegmentBlocks;
        for (int block = begin; block < end; block++)
        {
            Memory16.WaitForAllButOne();
            Group.Barrier(); // this block has arrived for all, and all are done with the one before, whose stage is filled next
            Copy(args, part, memory, (stage + 2) % Stages * StageQuads, block + 2, tile);
            Memory16.Commit();
            sums = WarpSums.Step<TFormat>(sums, memory, stage * StageQuads + w, stage * StageQuads + x, EightLines);
            stage = (stage + 1) % Stages;
            left--;
            if (left == 0)
            {
                total = WarpSums.Add(total, sums);
                sums = default;
                left = part.SegmentBlocks;
            }
        }

        total = WarpSums.Add(total, sums); // of a shorter last segment, or zeros
        Memory16.WaitForAll();
        tile.End(args, part, total, memory);
    }

    // Past the end of the inputs, and for blocks past the last, zeros; the address stays inside.
    private static void Copy(TensorLinearArgs args, LinearPart part, ArrayView<Quad> memory, int stage, int block, LinearTile tile)
    {
        int depth = args.Depth;
        for (int i = Group.IdxX; i < OperandQuads; i += LinearTile.GroupSize)
        {
            int line = i / Fragments.Loads, k = block * Fragments.Block + Fragments.Load * (i % Fragments.Loads);
            int bytes = Fragments.Bytes(k, depth), inside = IntrinsicMath.Min(k, depth - Fragments.Load);
            int place = line % Fragments.Outputs;
            long weights = part.Weights((tile.FirstLine + line) / Fragments.Outputs, place, depth);
            Memory16.Copy16(ref memory[stage + i], ref part.Data(place)[weights + inside], bytes);
            long row = IntrinsicMath.Min(tile.FirstRow + line, args.X.Rows - 1);
            Memory16.Copy16(ref memory[stage + OperandQuads + i], ref args.Rounded[row * depth + inside], bytes);
        }
    }
}

using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// y = x·Wᵀ (+ bias), or y += …, for more than 16 rows: a tile of 128 outputs × 128 rows a group, 64 × 32 a warp. Blocks of 32 inputs of both operands
/// come by asynchronous 16-byte copies into three stages of shared memory, two of them on their way while one is multiplied. A group sums all segments
/// of the inputs, or one of them where tiles are few, and then the last group of a tile adds the segments in order. Grid: tiles of outputs × tiles of
/// rows × groups of segments.
/// </summary>
/// <remarks>
/// Bound: 2·rows·in·out FLOPs. A block costs a warp 12 loads of 512 bytes from shared memory and 32 mma; on H100 (1,024 dense bf16 multiply-adds a clock and
/// multiprocessor, 128 bytes of shared memory a clock) that is 256 clocks of mma and 384 of loads for the eight warps, so shared memory bounds it at two
/// thirds of the tensor cores' rate: for [2048, 4096] to 28672, 481 GFLOP, at least 0.73 ms at 989 TFLOP/s and some 1.1 ms expected. Not measured yet.
/// </remarks>
internal static class TiledLinearKernel<TFormat>
    where TFormat : struct, ITensorFormat
{
    /// <summary>Work-items of a group: eight warps.</summary>
    public const int GroupSize = 256;

    /// <summary>Outputs, and rows, of a group's tile.</summary>
    public const int Tile = 128;

    private const int Stages = 3, OperandQuads = Tile * Fragments.Loads, StageQuads = 2 * OperandQuads;

    // Eight lines of a block.
    private const int EightLines = 8 * Fragments.Loads;

    public static void Run(TensorLinearArgs args)
    {
        ArrayView<Quad> memory = SharedMemory.Allocate<Quad>(Stages * StageQuads);
        int rowTiles = (args.X.Rows + Tile - 1) / Tile, tiles = rowTiles * ((args.Y.Columns + Tile - 1) / Tile);
        int tile = Grid.IdxX % tiles, part = Grid.IdxX / tiles, depth = args.X.Columns;
        int firstRow = tile % rowTiles * Tile, firstOutput = tile / rowTiles * Tile;
        int begin = part * args.SegmentsPerGroup * args.SegmentBlocks;
        int end = IntrinsicMath.Min(begin + args.SegmentsPerGroup * args.SegmentBlocks, (depth + Fragments.Block - 1) / Fragments.Block);

        int warp = Group.IdxX / EmulatedWarp.Size, g = Lane.Line, t = Lane.Place;
        int warpOutput = warp / 4 * 64, warpRow = warp % 4 * 32;
        int w = Fragments.Staged(0, warpOutput + g, t, Tile), x = OperandQuads + Fragments.Staged(0, warpRow + g, t, Tile);

        Copy(args, memory, 0, begin, firstOutput, firstRow);
        Memory16.Commit();
        Copy(args, memory, StageQuads, begin + 1, firstOutput, firstRow);
        Memory16.Commit();
        WarpSums sums = default, total = default;
        int stage = 0, left = args.SegmentBlocks;
        for (int block = begin; block < end; block++)
        {
            Memory16.WaitForAllButOne();
            Group.Barrier(); // this block has arrived for all, and all are done with the one before, whose stage is filled next
            Copy(args, memory, (stage + 2) % Stages * StageQuads, block + 2, firstOutput, firstRow);
            Memory16.Commit();
            sums = WarpSums.Step<TFormat>(sums, memory, stage * StageQuads + w, stage * StageQuads + x, EightLines);
            stage = (stage + 1) % Stages;
            left--;
            if (left == 0)
            {
                total = WarpSums.Add(total, sums);
                sums = default;
                left = args.SegmentBlocks;
            }
        }

        total = WarpSums.Add(total, sums); // of a shorter last segment, or zeros
        Memory16.WaitForAll();
        int output = firstOutput + warpOutput + g, row = firstRow + warpRow + 2 * t;
        if (args.SegmentsPerGroup == args.Segments)
        {
            total.Finish(args, output, row);
            return;
        }

        total.Keep(args, part, output, row);
        Group.Barrier(); // the flag lies where the stages were
        if (LastGroup.IsLast<CooperativeForm>(ref args.Counters[tile], args.Segments, memory.Cast<int>()))
        {
            args.Merge(firstOutput, Tile, firstRow, Tile);
        }
    }

    // Past the end of the inputs, and for blocks past the last, zeros; the address stays inside.
    private static void Copy(TensorLinearArgs args, ArrayView<Quad> memory, int stage, int block, int firstOutput, int firstRow)
    {
        int depth = args.X.Columns;
        for (int i = Group.IdxX; i < OperandQuads; i += GroupSize)
        {
            int line = i / Fragments.Loads, k = block * Fragments.Block + Fragments.Load * (i % Fragments.Loads);
            int bytes = Fragments.Bytes(k, depth), inside = IntrinsicMath.Min(k, depth - Fragments.Load);
            Memory16.Copy16(ref memory[stage + i], ref args.W.Data[args.Weights(firstOutput + line) + inside], bytes);
            long row = IntrinsicMath.Min(firstRow + line, args.X.Rows - 1);
            Memory16.Copy16(ref memory[stage + OperandQuads + i], ref args.Rounded[row * depth + inside], bytes);
        }
    }
}

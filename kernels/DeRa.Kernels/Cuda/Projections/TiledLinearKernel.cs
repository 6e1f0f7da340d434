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
    /// <summary>Work-items of a group: eight warps.</summary>
    public const int GroupSize = 256;

    /// <summary>Lines, and rows, of a group's tile.</summary>
    public const int Tile = 128;

    private const int Stages = 3, OperandQuads = Tile * Fragments.Loads, StageQuads = 2 * OperandQuads;

    // Sums of half a tile's rows, padded so that lanes of neighbouring rows meet in different banks.
    private const int HalfRows = Tile / 2, HalfStride = Tile + 4;

    // Eight lines of a block.
    private const int EightLines = 8 * Fragments.Loads;

    public static void Run(TensorLinearArgs args)
    {
        ArrayView<Quad> memory = SharedMemory.Allocate<Quad>(Stages * StageQuads);
        LinearPart part = args.Part();
        int group = Grid.IdxX - part.FirstGroup, rowTiles = (args.X.Rows + Tile - 1) / Tile, tiles = rowTiles * ((part.Lines + Tile - 1) / Tile);
        int tile = group % tiles, segments = group / tiles, depth = args.X.Columns;
        int firstRow = tile % rowTiles * Tile, firstLine = tile / rowTiles * Tile;
        int begin = segments * part.SegmentsPerGroup * part.SegmentBlocks;
        int end = IntrinsicMath.Min(begin + part.SegmentsPerGroup * part.SegmentBlocks, (depth + Fragments.Block - 1) / Fragments.Block);

        int warp = Group.IdxX / EmulatedWarp.Size, g = Lane.Line, t = Lane.Place;
        int warpLine = warp / 4 * 64, warpRow = warp % 4 * 32;
        int w = Fragments.Staged(0, warpLine + g, t, Tile), x = OperandQuads + Fragments.Staged(0, warpRow + g, t, Tile);

        Copy(args, part, memory, 0, begin, firstLine, firstRow);
        Memory16.Commit();
        Copy(args, part, memory, StageQuads, begin + 1, firstLine, firstRow);
        Memory16.Commit();
        WarpSums sums = default, total = default;
        int stage = 0, left = part.SegmentBlocks;
        for (int block = begin; block < end; block++)
        {
            Memory16.WaitForAllButOne();
            Group.Barrier(); // this block has arrived for all, and all are done with the one before, whose stage is filled next
            Copy(args, part, memory, (stage + 2) % Stages * StageQuads, block + 2, firstLine, firstRow);
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
        int line = firstLine + warpLine + g, row = firstRow + warpRow + 2 * t;
        if (part.IsDirect != 0)
        {
            total.Finish(args, part, line, row);
            return;
        }

        if (part.SegmentsPerGroup == part.Segments)
        {
            Gate(args, part, total, memory.Cast<float>(), firstLine, firstRow);
            return;
        }

        total.Keep(args, part, segments, line, row);
        Group.Barrier(); // the flag lies where the stages were
        if (LastGroup.IsLast<CooperativeForm>(ref args.Counters[part.FirstCounter + tile], part.Segments, memory.Cast<int>()))
        {
            args.Merge(part, firstLine, Tile, firstRow, Tile);
        }
    }

    // Element by element with coalesced stores, since an activation in every register's place would be the most of the kernel's code.
    private static void Gate(TensorLinearArgs args, LinearPart part, WarpSums total, ArrayView<float> tile, int firstLine, int firstRow)
    {
        int warp = Group.IdxX / EmulatedWarp.Size, warpRow = warp % 4 * 32, first = part.Column(firstLine);
        int columns = IntrinsicMath.Min(part.Column(firstLine + Tile), part.Y.Columns) - first;
        for (int half = 0; half < Tile; half += HalfRows)
        {
            Group.Barrier(); // all are done with what lay there
            for (int own = warpRow / HalfRows * HalfRows; own == half; own += Tile)
            {
                total.Store(tile, HalfStride, warp / 4 * 64 + Lane.Line, warpRow - half + 2 * Lane.Place);
            }

            Group.Barrier();
            int rows = IntrinsicMath.Min(HalfRows, args.X.Rows - firstRow - half);
            for (int i = Group.IdxX; i < columns * rows; i += GroupSize)
            {
                int row = i / columns, at = row * HalfStride + part.Line(i % columns);
                args.Write(part, tile[at], tile[at + 8], first + i % columns, firstRow + half + row);
            }
        }
    }

    // Past the end of the inputs, and for blocks past the last, zeros; the address stays inside.
    private static void Copy(
        TensorLinearArgs args, LinearPart part, ArrayView<Quad> memory, int stage, int block, int firstLine, int firstRow)
    {
        int depth = args.X.Columns;
        for (int i = Group.IdxX; i < OperandQuads; i += GroupSize)
        {
            int line = i / Fragments.Loads, k = block * Fragments.Block + Fragments.Load * (i % Fragments.Loads);
            int bytes = Fragments.Bytes(k, depth), inside = IntrinsicMath.Min(k, depth - Fragments.Load);
            int tile = (firstLine + line) / Fragments.Outputs, place = line % Fragments.Outputs;
            bool isLower = place >= Fragments.Outputs / 2;
            ArrayView<ushort> data = isLower ? part.Lower.Data : part.W.Data;
            long weights = isLower ? part.LowerWeights(tile, place - Fragments.Outputs / 2, depth) : part.UpperWeights(tile, place, depth);
            Memory16.Copy16(ref memory[stage + i], ref data[weights + inside], bytes);
            long row = IntrinsicMath.Min(firstRow + line, args.X.Rows - 1);
            Memory16.Copy16(ref memory[stage + OperandQuads + i], ref args.Rounded[row * depth + inside], bytes);
        }
    }
}

using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// softmax(softCap(scale·q·k))·v on tensor cores over a 16-bit cache (Dao, "FlashAttention-2", 2023; Dao et al., "Flash-Decoding", 2023). A group is one warp
/// with 16 query rows: tokens of one sequence times the query heads that share a key-value head, so those share its loads. Chunks of 64 positions at
/// multiples of 64 come by asynchronous copies, keys of the next on their way while values are multiplied. A chunk's result is computed by itself and
/// merged in order of position, in registers where the group takes all chunks, or by the last group of the rows where chunks are shared out: the same
/// operations, hence the same bits. Grid: row tiles × key-value heads × shares of the chunks.
/// </summary>
/// <remarks>
/// Bound: few tokens, 4·kvHeads·headDim·context bytes a sequence: 8 heads of 128, context 8,192, 33.6 MB, 10 µs at 3.35 TB/s. Prefill, 4·heads·headDim·n²/2
/// FLOPs, 34 GFLOP for n = 2,048 and 32 heads of 128; each tile of four tokens reads the keys and values before it from L2, 2.1 GB, some 0.4 ms at an
/// assumed 5.5 TB/s, which is what it is expected to be held by. Not measured yet.
/// </remarks>
internal static class FlashAttentionKernel<TFormat, TWidth>
    where TFormat : struct, ITensorFormat
    where TWidth : struct, IHeadWidth
{
    /// <summary>Work-items of a group: one warp.</summary>
    public const int GroupSize = EmulatedWarp.Size;

    public static void Run(FlashArgs args)
    {
        ArrayView<Quad> keys = SharedMemory.Allocate<Quad>(ChunkProducts<TFormat>.Positions * TWidth.Loads);
        ArrayView<Quad> values = SharedMemory.Allocate<Quad>(ChunkProducts<TFormat>.Positions * TWidth.Loads);
        ArrayView<int> flag = SharedMemory.Allocate<int>(1);
        int share = Grid.IdxX % args.Shares, cell = Grid.IdxX / args.Shares;
        FlashTile tile = FlashTile.Find(args, cell / args.KvCells, cell % args.KvCells);
        if (tile.Rows == 0)
        {
            return; // the grid is made for the most tiles that a batch of this size can have
        }

        int begin = tile.FirstChunk + share * args.ChunksPerShare;
        int end = IntrinsicMath.Min(begin + args.ChunksPerShare, tile.EndChunk);
        int upper = tile.Position(args, Lane.Line), lower = tile.Position(args, Lane.Line + 8);
        FlashQuery query = FlashQuery.Load<TFormat, TWidth>(args, tile);
        Sums8 low = default, high = default;
        RowSums rows = RowSums.Empty();
        CopyKeys(args, tile, keys, begin);
        CopyValues(args, tile, values, begin);
        for (int chunk = begin; chunk < end; chunk++)
        {
            Memory16.WaitForAllButOne();
            Group.Barrier(); // the keys are there
            Sums8 s = query.Scores<TFormat, TWidth>(keys);
            Group.Barrier(); // and read
            CopyKeys(args, tile, keys, chunk + 1);
            int first = chunk * ChunkProducts<TFormat>.Positions;
            s = ChunkSoftmax.Mask(s, args.Attention, first, upper, lower);
            var next = new RowSums { UpperMax = ChunkSoftmax.RowMax(s.Largest(false)), LowerMax = ChunkSoftmax.RowMax(s.Largest(true)) };
            Weights16 weights = Weights16.Round<TFormat>(ChunkSoftmax.Weigh(s, args.Attention, next, first, upper, lower));
            Sums total = weights.Total<TFormat>();
            next.UpperSum = total.A;
            next.LowerSum = total.C;
            MergeScales scales = ChunkSoftmax.Scales(rows, next);
            rows = ChunkSoftmax.Merge(rows, next, scales);
            Memory16.WaitForAllButOne();
            Group.Barrier(); // the values are there
            Sums8 part = ChunkProducts<TFormat>.Output(weights, values, 0, TWidth.Loads);
            FlashPartial at = FlashPartial.At(args, cell, chunk - tile.FirstChunk);
            if (args.Shares > 1)
            {
                at.Keep(args, tile, next);
                at.Keep(args, tile, part, 0);
            }

            low = ChunkSoftmax.Merge(low, part, scales);
            if (TWidth.Loads > 8)
            {
                part = ChunkProducts<TFormat>.Output(weights, values, 8, TWidth.Loads);
                if (args.Shares > 1)
                {
                    at.Keep(args, tile, part, 1);
                }

                high = ChunkSoftmax.Merge(high, part, scales);
            }

            Group.Barrier(); // the values are read
            CopyValues(args, tile, values, chunk + 1);
        }

        Memory16.WaitForAll();
        if (args.Shares > 1)
        {
            if (!LastGroup.IsLast<CooperativeForm>(ref args.Counters[cell], args.Shares, flag))
            {
                return;
            }

            low = default;
            high = default;
            rows = RowSums.Empty();
            for (int chunk = 0; chunk < tile.EndChunk - tile.FirstChunk; chunk++)
            {
                FlashPartial at = FlashPartial.At(args, cell, chunk);
                RowSums next = at.Rows(args);
                MergeScales scales = ChunkSoftmax.Scales(rows, next);
                rows = ChunkSoftmax.Merge(rows, next, scales);
                low = ChunkSoftmax.Merge(low, at.Output(args, 0), scales);
                if (TWidth.Loads > 8)
                {
                    high = ChunkSoftmax.Merge(high, at.Output(args, 1), scales);
                }
            }
        }

        tile.Write(args, low, rows, 0);
        if (TWidth.Loads > 8)
        {
            tile.Write(args, high, rows, 64);
        }
    }

    private static void CopyKeys(FlashArgs args, FlashTile tile, ArrayView<Quad> keys, int chunk)
    {
        for (int i = Group.IdxX; i < ChunkProducts<TFormat>.Positions * TWidth.Loads; i += GroupSize)
        {
            int line = i / TWidth.Loads, place = i % TWidth.Loads, position = chunk * ChunkProducts<TFormat>.Positions + line;
            Memory16.Copy16(
                ref keys[ChunkProducts<TFormat>.Key(line, place)], ref args.Attention.Cache.KeyUnits[tile.Element(args, position, place)],
                tile.Bytes(args, position, place));
        }

        Memory16.Commit();
    }

    private static void CopyValues(FlashArgs args, FlashTile tile, ArrayView<Quad> values, int chunk)
    {
        for (int i = Group.IdxX; i < ChunkProducts<TFormat>.Positions * TWidth.Loads; i += GroupSize)
        {
            int line = i / TWidth.Loads, place = i % TWidth.Loads, position = chunk * ChunkProducts<TFormat>.Positions + line;
            Memory16.Copy16(
                ref values[ChunkProducts<TFormat>.Value(line, place, TWidth.Loads)],
                ref args.Attention.Cache.ValueUnits[tile.Element(args, position, place)], tile.Bytes(args, position, place));
        }

        Memory16.Commit();
    }
}

/// <summary>How wide a head is in shared memory and registers; narrower heads are padded with zeros.</summary>
internal interface IHeadWidth
{
    /// <summary>Sixteen-byte loads of a head.</summary>
    static abstract int Loads { get; }
}

/// <summary>Heads of up to 64 elements.</summary>
internal readonly struct Head64 : IHeadWidth
{
    public static int Loads => 8;
}

/// <summary>Heads of up to 128 elements.</summary>
internal readonly struct Head128 : IHeadWidth
{
    public static int Loads => 16;
}

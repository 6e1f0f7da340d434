using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// softmax(softCap(scale·q·k))·v on tensor cores over a 16-bit cache (Dao, "FlashAttention-2", 2023; Dao et al., "Flash-Decoding", 2023). A group has 16
/// query rows: tokens of one sequence times the query heads that share a key-value head, so those share its loads. It is one warp, or two for heads
/// above 128, each with its own half of the elements (<see cref="IHeadWidth"/>): they add each other's scores (<see cref="ScoreExchange"/>), weigh alike,
/// and go on with their own values. Chunks of 64 positions at multiples of 64 come by asynchronous copies, one slab on its way while another is
/// multiplied. A chunk's result is computed by itself and merged in order of position, in registers where the group takes all chunks, or by the last
/// group of the rows where chunks are shared out: the same operations, hence the same bits. Grid: row tiles × key-value heads × shares of the chunks.
/// </summary>
/// <remarks>
/// Bound: few tokens, 4·kvHeads·headDim·context bytes a sequence: 8 heads of 128, context 8,192, 33.6 MB, 10 µs at 3.35 TB/s; 8 heads of 256, 67.1 MB,
/// 20 µs. Prefill, 4·heads·headDim·n²/2 FLOPs: 34 GFLOP for n = 2,048 and 32 heads of 128 or 16 of 256. A tile of 16 rows reads the keys and values
/// before it from L2, 16 FLOPs a byte: 2.1 GB for 8 key-value heads of 128 and four heads each, as for 8 of 256 and two each. That is some 0.4 ms at an
/// assumed 5.5 TB/s, which is what it is expected to be held by: the tensor cores would take 0.035 ms. Not measured yet.
/// </remarks>
internal static class FlashAttentionKernel<TFormat, TWidth>
    where TFormat : struct, ITensorFormat
    where TWidth : struct, IHeadWidth
{
    /// <summary>Work-items of a group.</summary>
    public static int GroupSize => TWidth.Warps * EmulatedWarp.Size;

    public static void Run(FlashArgs args)
    {
        WarpRoom room = WarpRoom.Allocate<TWidth>();
        int share = Grid.IdxX % args.Shares, cell = Grid.IdxX / args.Shares;
        FlashTile tile = FlashTile.Find(args, cell / args.KvCells, cell % args.KvCells);
        if (tile.Rows == 0)
        {
            return; // the grid is made for the most tiles that a batch of this size can have
        }

        int begin = tile.FirstChunk + share * args.ChunksPerShare;
        int end = IntrinsicMath.Min(begin + args.ChunksPerShare, tile.EndChunk);
        int upper = tile.Position(args, Lane.Line), lower = tile.Position(args, Lane.Line + 8);
        FlashQuery query = FlashQuery.Load<TFormat, TWidth>(args, tile, 2 * room.FirstSlab);
        FlashSums sums = FlashSums.Empty();
        ChunkCells cells = ChunkCells.Find(args, tile, begin);
        CopyFirst(args, tile, cells, room);
        for (int chunk = begin; chunk < end; chunk++)
        {
            Sums8 s = Scores(args, tile, query, room, chunk, ref cells);
            int first = chunk * Slab.Positions;
            s = ChunkSoftmax.Mask(s, args.Attention, first, upper, lower);
            var next = new RowSums { UpperMax = ChunkSoftmax.RowMax(s.Largest(false)), LowerMax = ChunkSoftmax.RowMax(s.Largest(true)) };
            Weights16 weights = Weights16.Round<TFormat>(ChunkSoftmax.Weigh(s, args.Attention, next, first, upper, lower));
            Sums total = weights.Total<TFormat>();
            next.UpperSum = total.A;
            next.LowerSum = total.C;
            Add(args, tile, weights, next, FlashPartial.At<TWidth>(args, cell, chunk - tile.FirstChunk, room.Warp), room, cells, ref sums);
        }

        Memory16.WaitForAll();
        if (args.Shares > 1)
        {
            if (!LastGroup.IsLast<CooperativeForm>(ref args.Counters[cell], args.Shares, room.Memory.Cast<int>()))
            {
                return;
            }

            sums = FlashSums.Empty();
            for (int chunk = 0; chunk < tile.EndChunk - tile.FirstChunk; chunk++)
            {
                sums.Add<TWidth>(args, FlashPartial.At<TWidth>(args, cell, chunk, room.Warp));
            }
        }

        tile.Write(args, sums.Low, sums.Rows, room.FirstSlab * Slab.Elements);
        if (TWidth.Slabs > 1)
        {
            tile.Write(args, sums.High, sums.Rows, (room.FirstSlab + 1) * Slab.Elements);
        }
    }

    // Slabs arrive in the order of these copies: a chunk's keys, one slab or two, then its values. Each goes where the slab before the last was.
    private static void CopyFirst(FlashArgs args, FlashTile tile, ChunkCells cells, WarpRoom room)
    {
        Slab.Copy<KeySlab>(args, tile, cells, room.Even, room.FirstSlab);
        if (TWidth.Slabs == 1)
        {
            Slab.Copy<ValueSlab>(args, tile, cells, room.Odd, room.FirstSlab);
        }
        else
        {
            Slab.Copy<KeySlab>(args, tile, cells, room.Odd, room.FirstSlab + 1);
        }
    }

    /// <summary>q·k of a chunk over all of the head. Leaves the cells of the next chunk.</summary>
    private static Sums8 Scores(FlashArgs args, FlashTile tile, FlashQuery query, WarpRoom room, int chunk, ref ChunkCells cells)
    {
        Slab.Await();
        Sums8 s = query.First<TFormat>(room.Even);
        Group.Barrier();
        if (TWidth.Slabs == 1)
        {
            cells = ChunkCells.Find(args, tile, chunk + 1);
            Slab.Copy<KeySlab>(args, tile, cells, room.Even, room.FirstSlab);
            return s;
        }

        Slab.Copy<ValueSlab>(args, tile, cells, room.Even, room.FirstSlab);
        Slab.Await();
        s = query.Second<TFormat>(s, room.Odd);
        if (TWidth.Warps > 1)
        {
            ScoreExchange.Bring(room.Memory, room.Warp, s);
        }

        Group.Barrier(); // the keys are read, and the scores are there
        Slab.Copy<ValueSlab>(args, tile, cells, room.Odd, room.FirstSlab + 1);
        cells = ChunkCells.Find(args, tile, chunk + 1);
        return TWidth.Warps > 1 ? ScoreExchange.Add(room.Memory, room.Warp, s) : s;
    }

    /// <summary>Adds a chunk's weights times its values, which it keeps for the merge where chunks are shared out.</summary>
    private static void Add(
        FlashArgs args, FlashTile tile, Weights16 weights, RowSums next, FlashPartial partial, WarpRoom room, ChunkCells cells, ref FlashSums sums)
    {
        MergeScales scales = ChunkSoftmax.Scales(sums.Rows, next);
        sums.Rows = ChunkSoftmax.Merge(sums.Rows, next, scales);
        Slab.Await();
        Sums8 part = ChunkProducts<TFormat>.Output(weights, TWidth.Slabs == 1 ? room.Odd : room.Even);
        if (args.Shares > 1)
        {
            partial.Keep(args, tile, next);
            partial.Keep(args, tile, part, 0);
        }

        sums.Low = ChunkSoftmax.Merge(sums.Low, part, scales);
        Group.Barrier();
        if (TWidth.Slabs == 1)
        {
            Slab.Copy<ValueSlab>(args, tile, cells, room.Odd, room.FirstSlab);
            return;
        }

        Slab.Copy<KeySlab>(args, tile, cells, room.Even, room.FirstSlab);
        Slab.Await();
        part = ChunkProducts<TFormat>.Output(weights, room.Odd);
        if (args.Shares > 1)
        {
            partial.Keep(args, tile, part, 1);
        }

        sums.High = ChunkSoftmax.Merge(sums.High, part, scales);
        Group.Barrier();
        Slab.Copy<KeySlab>(args, tile, cells, room.Odd, room.FirstSlab + 1);
    }
}

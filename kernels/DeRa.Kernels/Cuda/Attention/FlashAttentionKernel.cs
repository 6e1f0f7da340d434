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
        ArrayView<Quad> memory = SharedMemory.Allocate<Quad>((TWidth.Warps - 1) * ScoreExchange.Quads + TWidth.Warps * 2 * Slab.Quads);
        int share = Grid.IdxX % args.Shares, cell = Grid.IdxX / args.Shares;
        FlashTile tile = FlashTile.Find(args, cell / args.KvCells, cell % args.KvCells);
        if (tile.Rows == 0)
        {
            return; // the grid is made for the most tiles that a batch of this size can have
        }

        int warp = TWidth.Warps == 1 ? 0 : Lane.Warp, slab = warp * TWidth.Slabs;
        int slots = (TWidth.Warps - 1) * ScoreExchange.Quads + warp * 2 * Slab.Quads;
        ArrayView<Quad> even = memory.SubView(slots, Slab.Quads);
        ArrayView<Quad> odd = memory.SubView(slots + Slab.Quads, Slab.Quads);
        int begin = tile.FirstChunk + share * args.ChunksPerShare;
        int end = IntrinsicMath.Min(begin + args.ChunksPerShare, tile.EndChunk);
        int upper = tile.Position(args, Lane.Line), lower = tile.Position(args, Lane.Line + 8);
        FlashQuery query = FlashQuery.Load<TFormat, TWidth>(args, tile, 2 * slab);
        Sums8 low = default, high = default;
        RowSums rows = RowSums.Empty();
        ChunkCells cells = ChunkCells.Find(args, tile, begin);
        Slab.Copy<KeySlab>(args, tile, cells, even, slab);
        if (TWidth.Slabs == 1)
        {
            Slab.Copy<ValueSlab>(args, tile, cells, odd, slab);
        }
        else
        {
            Slab.Copy<KeySlab>(args, tile, cells, odd, slab + 1);
        }

        for (int chunk = begin; chunk < end; chunk++)
        {
            Slab.Await(); // the keys, or their first slab
            Sums8 s = query.First<TFormat>(even);
            Group.Barrier();
            if (TWidth.Slabs == 1)
            {
                cells = ChunkCells.Find(args, tile, chunk + 1);
                Slab.Copy<KeySlab>(args, tile, cells, even, slab);
            }
            else
            {
                Slab.Copy<ValueSlab>(args, tile, cells, even, slab);
                Slab.Await(); // the keys' second slab
                s = query.Second<TFormat>(s, odd);
                if (TWidth.Warps > 1)
                {
                    ScoreExchange.Bring(memory, warp, s);
                }

                Group.Barrier();
                Slab.Copy<ValueSlab>(args, tile, cells, odd, slab + 1);
                cells = ChunkCells.Find(args, tile, chunk + 1);
                if (TWidth.Warps > 1)
                {
                    s = ScoreExchange.Add(memory, warp, s);
                }
            }

            int first = chunk * Slab.Positions;
            s = ChunkSoftmax.Mask(s, args.Attention, first, upper, lower);
            var next = new RowSums { UpperMax = ChunkSoftmax.RowMax(s.Largest(false)), LowerMax = ChunkSoftmax.RowMax(s.Largest(true)) };
            Weights16 weights = Weights16.Round<TFormat>(ChunkSoftmax.Weigh(s, args.Attention, next, first, upper, lower));
            Sums total = weights.Total<TFormat>();
            next.UpperSum = total.A;
            next.LowerSum = total.C;
            MergeScales scales = ChunkSoftmax.Scales(rows, next);
            rows = ChunkSoftmax.Merge(rows, next, scales);
            FlashPartial at = FlashPartial.At<TWidth>(args, cell, chunk - tile.FirstChunk, warp);
            if (args.Shares > 1)
            {
                at.Keep(args, tile, next);
            }

            Slab.Await(); // the values, or their first slab
            Sums8 part = ChunkProducts<TFormat>.Output(weights, TWidth.Slabs == 1 ? odd : even);
            if (args.Shares > 1)
            {
                at.Keep(args, tile, part, 0);
            }

            low = ChunkSoftmax.Merge(low, part, scales);
            Group.Barrier();
            if (TWidth.Slabs == 1)
            {
                Slab.Copy<ValueSlab>(args, tile, cells, odd, slab);
            }
            else
            {
                Slab.Copy<KeySlab>(args, tile, cells, even, slab);
                Slab.Await(); // the values' second slab
                part = ChunkProducts<TFormat>.Output(weights, odd);
                if (args.Shares > 1)
                {
                    at.Keep(args, tile, part, 1);
                }

                high = ChunkSoftmax.Merge(high, part, scales);
                Group.Barrier();
                Slab.Copy<KeySlab>(args, tile, cells, odd, slab + 1);
            }
        }

        Memory16.WaitForAll();
        if (args.Shares > 1)
        {
            if (!LastGroup.IsLast<CooperativeForm>(ref args.Counters[cell], args.Shares, memory.Cast<int>()))
            {
                return;
            }

            low = default;
            high = default;
            rows = RowSums.Empty();
            for (int chunk = 0; chunk < tile.EndChunk - tile.FirstChunk; chunk++)
            {
                FlashPartial at = FlashPartial.At<TWidth>(args, cell, chunk, warp);
                RowSums next = at.Rows(args);
                MergeScales scales = ChunkSoftmax.Scales(rows, next);
                rows = ChunkSoftmax.Merge(rows, next, scales);
                low = ChunkSoftmax.Merge(low, at.Output(args, 0), scales);
                if (TWidth.Slabs > 1)
                {
                    high = ChunkSoftmax.Merge(high, at.Output(args, 1), scales);
                }
            }
        }

        tile.Write(args, low, rows, slab * Slab.Elements);
        if (TWidth.Slabs > 1)
        {
            tile.Write(args, high, rows, (slab + 1) * Slab.Elements);
        }
    }
}

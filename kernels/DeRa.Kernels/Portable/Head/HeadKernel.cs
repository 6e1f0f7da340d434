using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// The fused head in one launch. A group owns a block of rows and one tile of the vocabulary: it projects the tile with both models, interpolates,
/// folds softmax statistics and the best noisy score, and keeps the largest scores of rows that cut; logits stay in shared memory. The last
/// group to arrive for a block of rows merges the tiles in order, settles cuts from the candidates and draws. Bound: both output weights' bytes
/// for each block of rows. Grid: tiles × row blocks, those of
/// a tile side by side, so that they find its weights in the cache.
/// </summary>
internal static class HeadKernel<TReference, TAligned>
    where TReference : struct, IProjector
    where TAligned : struct, IProjector
{
    public static void Run(HeadArgs args)
    {
        HeadMemory memory = HeadMemory.Allocate<TReference>();
        int blocks = args.RowBlocks(TReference.Block), tile = Grid.IdxX / blocks, block = Grid.IdxX % blocks;
        int firstRow = block * TReference.Block, rows = IntrinsicMath.Min(TReference.Block, args.RowCount - firstRow);
        HeadTile<TReference, TAligned>.Project(args, memory, tile, firstRow, rows);
        Finish(args, memory, tile, block, rows);
    }

    /// <summary>All that follows the projections of a tile for a block of rows, which lie in the memory. Called by every member of the group.</summary>
    public static void Finish(HeadArgs args, HeadMemory memory, int tile, int block, int rows)
    {
        int firstRow = block * TReference.Block;
        HeadScores.Compute<TReference>(args, memory, tile, firstRow, rows, true);
        FoldScores(args, memory, tile, firstRow, rows);
        TileFolds.Publish<TReference>(args, memory, tile, firstRow, rows);
        KeepCandidates(args, memory, tile, firstRow, rows);

        // At most once, and all of the group alike: an if would have what follows copied.
        for (bool isLast = LastGroup.IsLast<TReference>(ref args.Counters[block], args.Tiles, memory.Flag); isLast; isLast = false)
        {
            TileFolds.Merge<TReference>(args, memory, firstRow, rows);
            for (int r = 0; r < rows; r++)
            {
                Settle(args, memory, firstRow + r, r);
            }
        }
    }

    // Best noisy score of rows that do not cut, and the sum of scores of those that do.
    private static void FoldScores(HeadArgs args, HeadMemory memory, int tile, int firstRow, int rows)
    {
        RowTeam team = RowTeam.Here(TReference.Block);
        for (int r = team.FirstRow; r < rows; r += team.RowStep)
        {
            HeadRow row = args.Rows[firstRow + r];
            TileFold sums = memory.Folds[r * team.Lanes + team.Lane];
            if (!Cut.IsNeeded(row, args.Vocabulary))
            {
                sums = TReference.Best(memory, team, row, r, tile * HeadArgs.Tile, 0u, sums);
            }
            else
            {
                for (int quad = team.Lane; quad < HeadArgs.Tile / 4; quad += team.Lanes)
                {
                    for (int i = 4 * quad; i < 4 * quad + 4; i++)
                    {
                        sums.Scores = RunningMoment.Add(sums.Scores, memory.Aligned[r * HeadArgs.Tile + i], 0f);
                    }
                }
            }

            memory.Folds[r * team.Lanes + team.Lane] = sums;
        }

        TReference.Barrier();
    }

    // The rank of an entry is the number of better ones: no sorting, and every work-item has its own entries.
    private static void KeepCandidates(HeadArgs args, HeadMemory memory, int tile, int firstRow, int rows)
    {
        RowTeam team = RowTeam.Here(TReference.Block);
        for (int r = team.FirstRow; r < rows; r += team.RowStep)
        {
            HeadRow row = args.Rows[firstRow + r];
            long cell = (long)(firstRow + r) * args.Tiles + tile;
            bool cuts = Cut.IsNeeded(row, args.Vocabulary), reports = args.HasTopTokens != 0 && row.TopTokens > 0;
            for (int entry = team.Lane; entry < HeadArgs.Tile && (cuts || reports); entry += team.Lanes)
            {
                int token = tile * HeadArgs.Tile + entry;
                if (cuts)
                {
                    float score = memory.Aligned[r * HeadArgs.Tile + entry];
                    int rank = Rank(memory.Aligned, r, entry, score);
                    if (rank < HeadArgs.Candidates)
                    {
                        args.CutScores[cell * HeadArgs.Candidates + rank] = score;
                        args.CutTokens[cell * HeadArgs.Candidates + rank] = token;
                    }
                    else if (rank == HeadArgs.Candidates)
                    {
                        args.CutBounds[cell] = score;
                    }
                }

                if (reports)
                {
                    float logit = memory.Reference[r * HeadArgs.Tile + entry];
                    int rank = Rank(memory.Reference, r, entry, logit);
                    if (rank < HeadArgs.Candidates)
                    {
                        args.TopScores[cell * HeadArgs.Candidates + rank] = logit;
                        args.TopIds[cell * HeadArgs.Candidates + rank] = token;
                    }
                }
            }
        }
    }

    private static int Rank(ArrayView<float> values, int r, int entry, float value)
    {
        int rank = 0, from = r * HeadArgs.Tile;
        for (int i = 0; i < HeadArgs.Tile; i++)
        {
            float other = values[from + i];
            rank += other > value || (other == value && i < entry) ? 1 : 0;
        }

        return rank;
    }

    private static void Settle(HeadArgs args, HeadMemory memory, int index, int r)
    {
        HeadRow row = args.Rows[index];
        TileFold all = memory.Folds[r];
        int candidates = args.Tiles * HeadArgs.Candidates, stage = SweepStage.Done, token = all.BestToken;
        long first = (long)index * candidates;
        TReference.Barrier();
        if (Cut.IsNeeded(row, args.Vocabulary))
        {
            float bound = float.NegativeInfinity;
            for (int tile = Group.IdxX; tile < args.Tiles; tile += Group.DimX)
            {
                float next = args.CutBounds[(long)index * args.Tiles + tile];
                bound = next > bound ? next : bound;
            }

            bound = Team.Max<TReference>(memory.Values, bound);
            if (all.Scores.Sum > 0)
            {
                CutThreshold threshold = Cut.Threshold<TReference>(
                    args.CutScores, first, candidates, bound, all.Scores, row, args.Vocabulary, memory.Values);
                token = Draws.Among<TReference>(args.CutScores, args.CutTokens, first, candidates, threshold.Least, row, memory);
                if (threshold.IsSettled == 0)
                {
                    stage = Cut.HasTopK(row, args.Vocabulary) ? SweepStage.TopK : row.TopP < 1f ? SweepStage.TopP : SweepStage.Draw;
                }
            }
            else
            {
                token = 0; // every token is forbidden: the lowest id among equals
            }
        }

        if (args.HasTopTokens != 0)
        {
            HeadResults.WriteTopTokens<TReference>(args, memory, index, row, all.Mixture.LogSum());
        }

        for (int writer = Group.IdxX; writer < 1; writer += Group.DimX)
        {
            args.Stages[index] = stage;
            if (stage != SweepStage.Done)
            {
                args.States[index] = SweepSearch.Begin(all, row, stage);
            }
        }

        if (stage == SweepStage.Done)
        {
            HeadTokens<TReference, TAligned>.Write(args, memory, index, row, all, token, 0);
        }
    }
}

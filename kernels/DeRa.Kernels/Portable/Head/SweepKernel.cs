using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// One more sweep over the vocabulary for the rows whose cut the candidates did not settle: projects again and either counts the scores of the
/// searched range in 256 bins, by number and by mass, or draws among the scores above the threshold found. Same geometry and same bits as
/// <see cref="HeadKernel{TReference, TAligned}"/>; blocks of rows without an open search return at once.
/// </summary>
internal static class SweepKernel<TReference, TAligned>
    where TReference : struct, IProjector
    where TAligned : struct, IProjector
{
    public static void Run(HeadArgs args)
    {
        HeadMemory memory = HeadMemory.Allocate<TReference>();
        int tiles = args.Tiles, blocks = args.RowBlocks(TReference.Block), tile = Grid.IdxX / blocks, block = Grid.IdxX % blocks;
        int firstRow = block * TReference.Block, rows = IntrinsicMath.Min(TReference.Block, args.RowCount - firstRow);
        int open = 0;
        for (int r = 0; r < rows; r++)
        {
            open += args.Stages[firstRow + r];
        }

        if (open == 0)
        {
            return;
        }

        HeadTile<TReference, TAligned>.Project(args, memory, tile, firstRow, rows);
        HeadScores.Compute<TReference>(args, memory, tile, firstRow, rows, false);
        for (int r = 0; r < rows; r++)
        {
            int stage = args.Stages[firstRow + r];
            if (stage == SweepStage.TopK || stage == SweepStage.TopP)
            {
                SweepSearch.Count<TReference>(args, memory, tile, firstRow + r, r);
            }
        }

        Draw(args, memory, tile, firstRow, rows);
        if (!LastGroup.IsLast<TReference>(ref args.Counters[block], tiles, memory.Flag))
        {
            return;
        }

        TileFolds.Merge<TReference>(args, memory, firstRow, rows);
        for (int r = 0; r < rows; r++)
        {
            int stage = args.Stages[firstRow + r];
            TileFold drawn = memory.Folds[r];
            TReference.Barrier();
            if (stage == SweepStage.TopK || stage == SweepStage.TopP)
            {
                SweepSearch.Advance<TReference>(args, memory, firstRow + r, stage);
            }
            else if (stage == SweepStage.Draw)
            {
                HeadTokens<TReference, TAligned>.Write(
                    args, memory, firstRow + r, args.Rows[firstRow + r], args.States[firstRow + r].Fold, drawn.BestToken, 1);
                for (int writer = Group.IdxX; writer < 1; writer += Group.DimX)
                {
                    args.Stages[firstRow + r] = SweepStage.Done;
                }
            }
        }
    }

    private static void Draw(HeadArgs args, HeadMemory memory, int tile, int firstRow, int rows)
    {
        RowTeam team = RowTeam.Here(TReference.Block);
        for (int r = team.FirstRow; r < rows; r += team.RowStep)
        {
            TileFold best = TileFold.Empty();
            if (args.Stages[firstRow + r] == SweepStage.Draw)
            {
                best = TReference.Best(
                    memory, team, args.Rows[firstRow + r], r, tile * HeadArgs.Tile, args.States[firstRow + r].Least, best);
            }

            memory.Folds[r * team.Lanes + team.Lane] = best;
        }

        TReference.Barrier();
        TileFolds.Publish<TReference>(args, memory, tile, firstRow, rows);
    }
}

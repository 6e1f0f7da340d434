using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>From the folds of work-items to those of tiles, and from those of tiles to those of rows; always in ascending order of tokens.</summary>
internal static class TileFolds
{
    /// <summary>Merges the lanes of each row and writes the tile's fold to device memory.</summary>
    public static void Publish<TForm>(HeadArgs args, HeadMemory memory, int tile, int firstRow, int rows)
        where TForm : struct, IProjector
    {
        RowTeam team = RowTeam.Here(TForm.Block);
        for (int r = team.FirstRow; r < rows; r += team.RowStep)
        {
            if (team.Lane == 0)
            {
                args.Folds[(long)(firstRow + r) * args.Tiles + tile] = MergeLanes(memory, team, r);
            }
        }
    }

    /// <summary>Merges all tiles of each row of the block; the fold of row r lies in element r of the folds afterwards. Barriers included.</summary>
    public static void Merge<TForm>(HeadArgs args, HeadMemory memory, int firstRow, int rows)
        where TForm : struct, IProjector
    {
        RowTeam team = RowTeam.Here(TForm.Block);
        int share = (args.Tiles + team.Lanes - 1) / team.Lanes;
        for (int r = team.FirstRow; r < rows; r += team.RowStep)
        {
            TileFold sums = TileFold.Empty();
            int end = IntrinsicMath.Min((team.Lane + 1) * share, args.Tiles);
            for (int tile = team.Lane * share; tile < end; tile++)
            {
                sums = TileFold.Merge(sums, args.Folds[(long)(firstRow + r) * args.Tiles + tile]);
            }

            memory.Folds[r * team.Lanes + team.Lane] = sums;
        }

        TForm.Barrier();
        TileFold row = TileFold.Empty();
        int merged = team.Lanes > 1 ? rows : 0;
        for (int r = Group.IdxX; r < merged; r += Group.DimX)
        {
            row = MergeLanes(memory, team, r);
        }

        TForm.Barrier();
        for (int r = Group.IdxX; r < merged; r += Group.DimX)
        {
            memory.Folds[r] = row;
        }

        TForm.Barrier();
    }

    private static TileFold MergeLanes(HeadMemory memory, RowTeam team, int r)
    {
        TileFold sums = memory.Folds[r * team.Lanes];
        for (int lane = 1; lane < team.Lanes; lane++)
        {
            sums = TileFold.Merge(sums, memory.Folds[r * team.Lanes + lane]);
        }

        return sums;
    }
}

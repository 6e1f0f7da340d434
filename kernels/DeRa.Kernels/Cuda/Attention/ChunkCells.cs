namespace DeRa.Kernels.Cuda;

/// <summary>
/// Where the positions of a chunk lie in the cache: a lane looks two of them up and tells the others. So block tables, divisions and products cost two
/// look-ups a chunk, not one for each copy.
/// </summary>
internal struct ChunkCells
{
    /// <summary>The chunk's first position.</summary>
    public int First;

    /// <summary>First element of position First + lane.</summary>
    public long Near;

    /// <summary>The same 32 positions on.</summary>
    public long Far;

    /// <summary>Cells of chunk <paramref name="chunk"/>; past the sequence's end, those of its last position.</summary>
    public static ChunkCells Find(FlashArgs args, FlashTile tile, int chunk)
    {
        int first = chunk * Slab.Positions;
        return new()
        {
            First = first,
            Near = tile.Cell(args, first + Lane.Index),
            Far = tile.Cell(args, first + EmulatedWarp.Size + Lane.Index),
        };
    }

    /// <summary>First element of a line's keys and values. Called by the whole warp, for lines of one half of the chunk.</summary>
    public readonly long Of(int line) => Lane.From(line < EmulatedWarp.Size ? Near : Far, line & (EmulatedWarp.Size - 1));
}

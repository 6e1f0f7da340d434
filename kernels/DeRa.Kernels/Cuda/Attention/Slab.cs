using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// What is staged in shared memory at once: 64 elements of the keys, or of the values, of a chunk's 64 positions, 8 KiB. A warp has room for two slabs: one is
/// multiplied while the other is on its way.
/// </summary>
internal static class Slab
{
    /// <summary>Positions of a chunk.</summary>
    public const int Positions = 64;

    /// <summary>Sixteen-byte loads of a position.</summary>
    public const int Loads = 8;

    /// <summary>Elements of a position.</summary>
    public const int Elements = Loads * Fragments.Load;

    /// <summary>Sixteen-byte loads of a slab.</summary>
    public const int Quads = Positions * Loads;

    private const int Unrolled = 4, Lines = EmulatedWarp.Size / Loads;

    /// <summary>Begins to copy slab <paramref name="slab"/> of a head, by the warp that will multiply it: eight lanes take a position.</summary>
    public static void Copy<TSlab>(FlashArgs args, FlashTile tile, ChunkCells cells, ArrayView<Quad> to, int slab)
        where TSlab : struct, ISlab
    {
        for (int first = 0; first < Positions; first += Unrolled * Lines)
        {
            int line = first + (Lane.Index >> 3);
            CopyLine<TSlab>(args, tile, cells, to, slab, line);
            CopyLine<TSlab>(args, tile, cells, to, slab, line + Lines);
            CopyLine<TSlab>(args, tile, cells, to, slab, line + 2 * Lines);
            CopyLine<TSlab>(args, tile, cells, to, slab, line + 3 * Lines);
        }

        Memory16.Commit();
    }

    /// <summary>Waits until the older of the two slabs under way is there, for all warps.</summary>
    public static void Await()
    {
        Memory16.WaitForAllButOne();
        Group.Barrier();
    }

    private static void CopyLine<TSlab>(FlashArgs args, FlashTile tile, ChunkCells cells, ArrayView<Quad> to, int slab, int line)
        where TSlab : struct, ISlab
    {
        int place = Lane.Index & (Loads - 1), load = slab * Loads + place;
        Memory16.Copy16(
            ref to[TSlab.At(line, place)], ref TSlab.Units(args.Attention.Cache)[cells.Of(line) + FlashTile.Element(args, load)],
            tile.Bytes(args, cells.First + line, load));
    }
}

/// <summary>How a slab lies in shared memory, and where it comes from.</summary>
internal interface ISlab
{
    /// <summary>Where load <paramref name="place"/> of a position lies.</summary>
    static abstract int At(int position, int place);

    /// <summary>The cache's memory.</summary>
    static abstract ArrayView<ushort> Units(CacheView cache);
}

/// <summary>Keys: blocks of 32 elements, [block, position, 4 loads], multiplied in the order of <see cref="Fragments"/>.</summary>
internal readonly struct KeySlab : ISlab
{
    public static int At(int position, int place) =>
        Fragments.Staged(place >> 2, position, place & (Fragments.Loads - 1), Slab.Positions);

    public static ArrayView<ushort> Units(CacheView cache) => cache.KeyUnits;
}

/// <summary>
/// Values: rows of eight loads, load d of position p at d XOR (p mod 8). The eight rows that one ldmatrix matrix reads are in eight different banks of
/// sixteen bytes, and so are the loads that a row's copy writes.
/// </summary>
internal readonly struct ValueSlab : ISlab
{
    public static int At(int position, int place) => position * Slab.Loads + (place ^ (position & 7));

    public static ArrayView<ushort> Units(CacheView cache) => cache.ValueUnits;
}

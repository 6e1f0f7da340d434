using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>A warp's part of a head and of the group's shared memory: room for two slabs, and for the scores that the warps of a head exchange.</summary>
internal struct WarpRoom
{
    /// <summary>The warp's place among those that share the head.</summary>
    public int Warp;

    /// <summary>First slab of the head that is the warp's.</summary>
    public int FirstSlab;
    public ArrayView<Quad> Even;
    public ArrayView<Quad> Odd;

    /// <summary>All of the group's memory, with the exchanged scores first.</summary>
    public ArrayView<Quad> Memory;

    /// <summary>Allocates the group's memory and finds the warp's part.</summary>
    public static WarpRoom Allocate<TWidth>()
        where TWidth : struct, IHeadWidth
    {
        ArrayView<Quad> memory = SharedMemory.Allocate<Quad>((TWidth.Warps - 1) * ScoreExchange.Quads + TWidth.Warps * 2 * Slab.Quads);
        int warp = TWidth.Warps == 1 ? 0 : Lane.Warp, slots = (TWidth.Warps - 1) * ScoreExchange.Quads + warp * 2 * Slab.Quads;
        return new()
        {
            Warp = warp,
            FirstSlab = warp * TWidth.Slabs,
            Even = memory.SubView(slots, Slab.Quads),
            Odd = memory.SubView(slots + Slab.Quads, Slab.Quads),
            Memory = memory,
        };
    }
}

namespace DeRa.Kernels.Cuda;

/// <summary>
/// How the elements of a head are shared out: warps take them in order, one or two slabs of 64 each. Narrower heads are padded with zeros.
/// </summary>
/// <remarks>
/// One warp does not hold heads of 256: sums of 16 × 256, the query and a chunk's part are 128 + 64 + 32 registers of 255 before the first address. Two
/// warps need those of heads of 128 each, and no more shared memory than 40 KiB.
/// </remarks>
internal interface IHeadWidth
{
    /// <summary>Slabs of a warp: 1 or 2.</summary>
    static abstract int Slabs { get; }

    /// <summary>Warps of a head: 1 or 2.</summary>
    static abstract int Warps { get; }
}

/// <summary>Heads of up to 64 elements.</summary>
internal readonly struct Head64 : IHeadWidth
{
    public static int Slabs => 1;

    public static int Warps => 1;
}

/// <summary>Heads of up to 128 elements.</summary>
internal readonly struct Head128 : IHeadWidth
{
    public static int Slabs => 2;

    public static int Warps => 1;
}

/// <summary>Heads of 129 to 256 elements.</summary>
internal readonly struct Head256 : IHeadWidth
{
    public static int Slabs => 2;

    public static int Warps => 2;
}

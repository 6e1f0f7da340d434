namespace DeRa.Kernels.Cuda;

/// <summary>What a warp has of its rows over the chunks so far.</summary>
internal struct FlashSums
{
    public RowSums Rows;

    /// <summary>Outputs of the warp's first slab.</summary>
    public Sums8 Low;

    /// <summary>Outputs of its second.</summary>
    public Sums8 High;

    public static FlashSums Empty() => new() { Rows = RowSums.Empty() };

    /// <summary>Merges a chunk's result from memory.</summary>
    public void Add<TWidth>(FlashArgs args, FlashPartial partial)
        where TWidth : struct, IHeadWidth
    {
        RowSums next = partial.Rows(args);
        MergeScales scales = ChunkSoftmax.Scales(Rows, next);
        Rows = ChunkSoftmax.Merge(Rows, next, scales);
        Low = ChunkSoftmax.Merge(Low, partial.Output(args, 0), scales);
        if (TWidth.Slabs > 1)
        {
            High = ChunkSoftmax.Merge(High, partial.Output(args, 1), scales);
        }
    }
}

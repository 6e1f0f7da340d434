namespace DeRa.Kernels.Cuda;

/// <summary>
/// How the inputs of a projection are divided. Every form sums a segment block by block in one accumulator and adds the segments' sums in order to 0,
/// so an output's bits depend on the weight's shape alone and not on the number of rows or on who does the work.
/// </summary>
/// <param name="Depth">Inputs.</param>
/// <param name="SegmentBlocks">Blocks of <see cref="Fragments.Block"/> inputs in a segment; the last segment may be shorter.</param>
internal readonly record struct LinearPlan(int Depth, int SegmentBlocks)
{
    /// <summary>Blocks in all; the last may be partial.</summary>
    public int Blocks => (Depth + Fragments.Block - 1) / Fragments.Block;

    /// <summary>Segments.</summary>
    public int Segments => (Blocks + SegmentBlocks - 1) / SegmentBlocks;

    /// <summary>
    /// Segments short enough that a weight's tiles of 64 outputs times its segments give every multiprocessor of a large card groups to choose from:
    /// 256 inputs below 4,096 outputs, 512 below 8,192, then 1,024. Longer ones would only save partial sums.
    /// </summary>
    public static LinearPlan For(int outputs, int depth) => new(depth, (outputs < 4096 ? 256 : outputs < 8192 ? 512 : 1024) / Fragments.Block);
}

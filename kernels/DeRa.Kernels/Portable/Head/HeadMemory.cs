using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>Shared memory of the head's kernels.</summary>
internal struct HeadMemory
{
    /// <summary>[Block, Tile] the reference's logits, then the mixture's.</summary>
    public ArrayView<float> Reference;

    /// <summary>[Block, Tile] the aligned model's logits, then the adjusted scores.</summary>
    public ArrayView<float> Aligned;

    /// <summary>What projections need.</summary>
    public ArrayView<float> Projection;

    /// <summary>One fold for each work-item.</summary>
    public ArrayView<TileFold> Folds;

    /// <summary>One float for each work-item.</summary>
    public ArrayView<float> Values;

    /// <summary>One int for each work-item.</summary>
    public ArrayView<int> Tokens;

    /// <summary>Counts and masses of a search's step.</summary>
    public ArrayView<float> Histogram;

    /// <summary>For arrivals.</summary>
    public ArrayView<int> Flag;

    public static HeadMemory Allocate<TProjector>()
        where TProjector : struct, IProjector => new()
        {
            Reference = SharedMemory.Allocate<float>(TProjector.Block * HeadArgs.Tile),
            Aligned = SharedMemory.Allocate<float>(TProjector.Block * HeadArgs.Tile),
            Projection = TProjector.Scratch(),
            Folds = SharedMemory.Allocate<TileFold>(Team.Size),
            Values = SharedMemory.Allocate<float>(Team.Size),
            Tokens = SharedMemory.Allocate<int>(Team.Size),
            Histogram = SharedMemory.Allocate<float>(2 * HeadArgs.Bins),
            Flag = SharedMemory.Allocate<int>(1),
        };
}

/// <summary>How a group divides a block of rows: the same number of neighbouring work-items for each, at least one.</summary>
internal struct RowTeam
{
    public int Lane;
    public int Lanes;
    public int FirstRow;
    public int RowStep;

    public static RowTeam Here(int block)
    {
        int lanes = IntrinsicMath.Max(1, Group.DimX / block);
        return new() { Lane = Group.IdxX % lanes, Lanes = lanes, FirstRow = Group.IdxX / lanes, RowStep = Group.DimX / lanes };
    }
}

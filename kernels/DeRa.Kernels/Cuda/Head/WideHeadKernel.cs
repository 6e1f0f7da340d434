using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// <see cref="HeadKernel{TReference, TAligned}"/> and <see cref="ScoreKernel{TReference, TAligned}"/> for more than 16 rows: a group projects its tile for 64
/// rows at once, holds both models' sums in registers, and does what follows for 16 rows after another, by the same code. Grid: tiles × blocks of 64 rows,
/// those of a tile side by side.
/// </summary>
/// <remarks>
/// Bound: both output weights' bytes once for 64 rows, while the rows' 16-bit states come from the L2 cache, half as many bytes as weights. 64 rows × 128,256
/// entries × 4,096 inputs, two models in bf16: 2.1 GB, 0.63 ms at 3.35 TB/s (H100), with 3.2 GB through the L2 cache, 0.57 ms at an assumed 5.5 TB/s, and 134
/// GFLOP, 0.14 ms. Registers allow two groups a multiprocessor, which have 32 KB of weights on their way: at 25 GB/s each that covers 1.2 µs of latency.
/// Not measured yet.
/// </remarks>
internal static class WideHeadKernel<TReference, TAligned>
    where TReference : struct, ITensorFormat
    where TAligned : struct, ITensorFormat
{
    public static void Head(WideHeadArgs args)
    {
        HeadMemory memory = HeadMemory.Allocate<TensorProjector<TReference>>();
        WideTile tile = WideTile.Project<TReference, TAligned>(args.Head, memory, args.ReferenceRounded, args.AlignedRounded);
        for (int block = 0; block < tile.Blocks; block++)
        {
            tile.Store(memory, block);
            HeadKernel<TensorProjector<TReference>, TensorProjector<TAligned>>.Finish(
                args.Head, memory, tile.Index, tile.FirstBlock + block, tile.Rows(block));
            Group.Barrier(); // before the memory is overwritten
        }
    }

    public static void Score(WideScoreArgs args)
    {
        HeadMemory memory = HeadMemory.Allocate<TensorProjector<TReference>>();
        WideTile tile = WideTile.Project<TReference, TAligned>(args.Score.Head, memory, args.ReferenceRounded, args.AlignedRounded);
        for (int block = 0; block < tile.Blocks; block++)
        {
            tile.Store(memory, block);
            ScoreKernel<TensorProjector<TReference>, TensorProjector<TAligned>>.Finish(
                args.Score, memory, tile.Index, tile.FirstBlock + block, tile.Rows(block));
            Group.Barrier(); // before the memory is overwritten
        }
    }
}

/// <summary>A group's tile of the vocabulary, both models' sums of it for up to 64 rows.</summary>
internal struct WideTile
{
    /// <summary>Rows that are finished at once.</summary>
    public const int BlockRows = 2 * Fragments.Rows;

    public WideSums Reference;
    public WideSums Aligned;

    /// <summary>Which tile.</summary>
    public int Index;

    /// <summary>Index of the first block of 16 rows.</summary>
    public int FirstBlock;
    public int RowCount;

    /// <summary>Blocks of 16 rows, the last of which may be shorter.</summary>
    public readonly int Blocks => (RowCount + BlockRows - 1) / BlockRows;

    /// <summary>Rows of a block.</summary>
    public readonly int Rows(int block) => IntrinsicMath.Min(BlockRows, RowCount - block * BlockRows);

    public static WideTile Project<TReference, TAligned>(
        HeadArgs args, HeadMemory memory, ArrayView<ushort> reference, ArrayView<ushort> aligned)
        where TReference : struct, ITensorFormat
        where TAligned : struct, ITensorFormat
    {
        ArrayView<Quad> first = memory.Projection.Cast<Quad>(), second = WideProjection<TReference>.Stage();
        int groups = (args.RowCount + WideSums.Rows - 1) / WideSums.Rows, index = Grid.IdxX / groups;
        int firstRow = Grid.IdxX % groups * WideSums.Rows, token = index * HeadArgs.Tile;
        int outputs = IntrinsicMath.Min(HeadArgs.Tile, args.Vocabulary - token);
        var tile = new WideTile
        {
            Index = index,
            FirstBlock = firstRow / BlockRows,
            RowCount = IntrinsicMath.Min(WideSums.Rows, args.RowCount - firstRow),
        };

        // At most once each: an if would have all that follows copied.
        for (int once = args.Reference.IsPresent; once > 0; once--)
        {
            tile.Reference = WideProjection<TReference>.Project(args.Reference, reference, first, second, token, outputs, firstRow, tile.RowCount);
        }

        for (int once = args.Aligned.IsPresent; once > 0; once--)
        {
            tile.Aligned = WideProjection<TAligned>.Project(args.Aligned, aligned, first, second, token, outputs, firstRow, tile.RowCount);
        }

        return tile;
    }

    /// <summary>Both models' sums of a block of rows as the projections that the head's kernels expect; a barrier ends it.</summary>
    public readonly void Store(HeadMemory memory, int block)
    {
        int output = Group.IdxX / EmulatedWarp.Size * Fragments.Outputs + Lane.Line;
        Reference.Store(block, memory.Reference, HeadArgs.Tile, output);
        Aligned.Store(block, memory.Aligned, HeadArgs.Tile, output);
        Group.Barrier();
    }
}

/// <summary>Arguments of <see cref="WideHeadKernel{TReference, TAligned}.Head"/>.</summary>
internal struct WideHeadArgs
{
    public HeadArgs Head;

    /// <summary>[rows, depth] the reference's hidden states in its weight's type, zeros to a multiple of eight behind them.</summary>
    public ArrayView<ushort> ReferenceRounded;

    /// <summary>[rows, depth] the aligned model's.</summary>
    public ArrayView<ushort> AlignedRounded;
}

/// <summary>Arguments of <see cref="WideHeadKernel{TReference, TAligned}.Score"/>.</summary>
internal struct WideScoreArgs
{
    public ScoreArgs Score;
    public ArrayView<ushort> ReferenceRounded;
    public ArrayView<ushort> AlignedRounded;
}

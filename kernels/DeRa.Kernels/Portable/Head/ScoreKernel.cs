using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// All-λ scoring in one launch: a group projects a tile of the vocabulary for a block of rows with both models and folds (max, Σ e^(z − max),
/// Σ e^(z − max)·d) for every λ; the last group of a block of rows merges the tiles in order. Bound: both output weights' bytes for each block
/// of rows, then rows·vocab·λ exponentials. Grid: tiles × row blocks.
/// </summary>
internal static class ScoreKernel<TReference, TAligned>
    where TReference : struct, IProjector
    where TAligned : struct, IProjector
{
    public static void Run(ScoreArgs args)
    {
        HeadMemory memory = HeadMemory.Allocate<TReference>();
        int blocks = args.Head.RowBlocks(TReference.Block), tile = Grid.IdxX / blocks, block = Grid.IdxX % blocks;
        int firstRow = block * TReference.Block, rows = IntrinsicMath.Min(TReference.Block, args.Head.RowCount - firstRow);
        HeadTile<TReference, TAligned>.Project(args.Head, memory, tile, firstRow, rows);
        Finish(args, memory, tile, block, rows);
    }

    /// <summary>All that follows the projections of a tile for a block of rows, which lie in the memory. Called by every member of the group.</summary>
    public static void Finish(ScoreArgs args, HeadMemory memory, int tile, int block, int rows)
    {
        HeadArgs head = args.Head;
        int tiles = head.Tiles, first = tile * HeadArgs.Tile, count = IntrinsicMath.Min(HeadArgs.Tile, head.Vocabulary - first);
        int firstRow = block * TReference.Block;
        for (int i = Group.IdxX; i < rows * count; i += Group.DimX)
        {
            int r = i / count, token = first + i % count, at = r * HeadArgs.Tile + i % count;
            float reference = head.Reference.Logit(memory.Reference[at], token), aligned = head.Aligned.Logit(memory.Aligned[at], token);
            memory.Reference[at] = reference;
            memory.Aligned[at] = aligned;
            if (args.Targets.At(firstRow + r) == token)
            {
                args.TargetLogits[firstRow + r] = new TargetLogits { Reference = reference, Aligned = aligned };
            }
        }

        TReference.Barrier();
        for (int pair = Group.IdxX; pair < rows * args.LambdaCount; pair += Group.DimX)
        {
            int r = pair / args.LambdaCount, lambda = pair % args.LambdaCount;
            args.Partials[((long)(firstRow + r) * tiles + tile) * args.LambdaCount + lambda] =
                Fold(memory, r * HeadArgs.Tile, count, args.Lambdas[lambda]);
        }

        // At most once, and all of the group alike: an if would have what follows copied.
        for (bool isLast = LastGroup.IsLast<TReference>(ref head.Counters[block], tiles, memory.Flag); isLast; isLast = false)
        {
            Merge(args, firstRow, rows);
        }
    }

    private static void Merge(ScoreArgs args, int firstRow, int rows)
    {
        int tiles = args.Head.Tiles;
        for (int pair = Group.IdxX; pair < rows * args.LambdaCount; pair += Group.DimX)
        {
            int row = firstRow + pair / args.LambdaCount, lambda = pair % args.LambdaCount;
            RunningMoment all = RunningMoment.Empty();
            for (int t = 0; t < tiles; t++)
            {
                all = RunningMoment.Merge(all, args.Partials[((long)row * tiles + t) * args.LambdaCount + lambda]);
            }

            args.Statistics[(long)row * args.LambdaCount + lambda] =
                new ScoreStatistic { Max = all.Max, Sum = all.Sum, WeightedDifference = all.Difference };
        }
    }

    // The maximum first, so that an exponential per token suffices.
    private static RunningMoment Fold(HeadMemory memory, int from, int count, float lambda)
    {
        float max = float.NegativeInfinity;
        for (int i = from; i < from + count; i++)
        {
            float z = HeadScores.Mix(memory.Reference[i], memory.Aligned[i], lambda);
            max = z > max ? z : max;
        }

        float sum = 0, difference = 0;
        for (int i = from; i < from + count; i++)
        {
            float reference = memory.Reference[i], aligned = memory.Aligned[i], z = HeadScores.Mix(reference, aligned, lambda);
            if (z > float.NegativeInfinity)
            {
                float weight = MathF.Exp(z - max);
                sum += weight;
                difference += weight * (aligned - reference);
            }
        }

        return new() { Max = max, Sum = sum, Difference = difference };
    }
}

/// <summary>Arguments of <see cref="ScoreKernel{TReference, TAligned}"/>; of the head's only models, sizes and counters are used.</summary>
internal struct ScoreArgs
{
    public HeadArgs Head;
    public IntView Targets;
    public ArrayView<float> Lambdas;
    public int LambdaCount;

    /// <summary>[rows, tiles, λ].</summary>
    public ArrayView<RunningMoment> Partials;
    public ArrayView<ScoreStatistic> Statistics;
    public ArrayView<TargetLogits> TargetLogits;
}

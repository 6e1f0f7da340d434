using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Portable;

public partial class PortableKernelSet
{
    /// <summary>
    /// Most bytes of partial results of scoring. They are [rows, tiles, λ], so that many rows of a large vocabulary are scored slice by slice; a slice
    /// has rows for hundreds of groups. The result is the same, since groups share no rows.
    /// </summary>
    private const long MostPartialBytes = 16 << 20;

    private protected PendingHead? pending;

    /// <inheritdoc />
    protected override void EnqueueRealignHead(
        HeadModel? reference, HeadModel? aligned, int vocabulary, DeviceBuffer rows, DeviceBuffer adjustments, bool statistics,
        DeviceBuffer results, DeviceBuffer? topTokens)
    {
        int count = (reference ?? aligned)!.Hidden.Rows;
        if (count == 0 || vocabulary == 0)
        {
            return;
        }

        SettleBeforeOverwriting();
        if (!statistics && reference is not null && aligned is not null && IsProjectedOnce(reference, aligned))
        {
            Matrix mixed = Matrix.Dense(
                Scratch("mixed hidden", (long)count * aligned.Hidden.Columns * sizeof(float)), count, aligned.Hidden.Columns);
            LaunchInOrder(MixKernel.Run, Elementwise.Groups(count, mixed.Columns), new MixArgs
            {
                Reference = View(reference.Hidden),
                Aligned = View(aligned.Hidden),
                Rows = Own(rows).As<HeadRow>(),
                Mixed = View(mixed),
            });
            (reference, aligned) = (null, aligned with { Hidden = mixed });
        }

        HeadArgs args = HeadArguments(reference, aligned, vocabulary);
        long cells = (long)count * args.Tiles, candidates = cells * HeadArgs.Candidates;
        args.Statistics = statistics ? 1 : 0;
        args.Rows = Own(rows).As<HeadRow>();
        args.Adjustments = Own(adjustments).As<TokenAdjustment>();
        args.Results = Own(results).As<HeadResult>();
        args.HasTopTokens = topTokens is null ? 0 : 1;
        args.TopTokens = Own(topTokens ?? none).As<TopToken>();
        args.Folds = Scratch("folds", cells * Unsafe.SizeOf<TileFold>()).As<TileFold>();
        args.CutScores = Scratch("cut scores", candidates * sizeof(float)).As<float>();
        args.CutTokens = Scratch("cut tokens", candidates * sizeof(int)).As<int>();
        args.CutBounds = Scratch("cut bounds", cells * sizeof(float)).As<float>();
        args.TopScores = (topTokens is null ? none : Scratch("top scores", candidates * sizeof(float))).As<float>();
        args.TopIds = (topTokens is null ? none : Scratch("top ids", candidates * sizeof(int))).As<int>();
        PortableBuffer stages = Scratch("stages", count * sizeof(int));
        args.Stages = stages.As<int>();
        args.States = Scratch("searches", (long)count * Unsafe.SizeOf<SweepState>()).As<SweepState>();
        args.Histograms = none.As<float>();
        HeadKernels kernels = HeadKernelsFor((reference ?? aligned)!.Output, (aligned ?? reference)!.Output);
        long groups = (long)args.Tiles * args.RowBlocks(kernels.Block);
        LaunchHead(kernels, groups, args);
        pending = new PendingHead(args, stages, kernels.Sweep, groups);
    }

    /// <inheritdoc />
    protected override void EnqueueRealignScore(
        HeadModel reference, HeadModel aligned, int vocabulary, IntVector targets, DeviceBuffer lambdas, int lambdaCount,
        DeviceBuffer statistics, DeviceBuffer targetLogits)
    {
        int count = reference.Hidden.Rows;
        if (count == 0 || vocabulary == 0)
        {
            return;
        }

        HeadKernels kernels = HeadKernelsFor(reference.Output, aligned.Output);
        long tiles = Tiles(vocabulary, HeadArgs.Tile), rowBytes = tiles * lambdaCount * Unsafe.SizeOf<RunningMoment>();
        int slice = (int)Math.Min(count, Math.Max(1, MostPartialBytes / (rowBytes * kernels.Block)) * kernels.Block);
        for (int from = 0; from < count; from += slice)
        {
            int rows = Math.Min(slice, count - from);
            HeadArgs head = HeadArguments(Rows(reference, from, rows), Rows(aligned, from, rows), vocabulary);
            LaunchScore(
                kernels,
                (long)head.Tiles * head.RowBlocks(kernels.Block),
                new ScoreArgs
                {
                    Head = head,
                    Targets = View(targets with { Offset = targets.Offset + from, Length = rows }),
                    Lambdas = Own(lambdas).As<float>(),
                    LambdaCount = lambdaCount,
                    Partials = Scratch("score partials", slice * rowBytes).As<RunningMoment>(),
                    Statistics = Own(statistics).As<ScoreStatistic>().SubView((long)from * lambdaCount, (long)rows * lambdaCount),
                    TargetLogits = Own(targetLogits).As<TargetLogits>().SubView(from, rows),
                });
        }
    }

    /// <summary>Launches the first sweep of a head.</summary>
    private protected virtual void LaunchHead(HeadKernels kernels, long groups, HeadArgs args) => LaunchInOrder(kernels.First, groups, args);

    /// <summary>Launches scoring.</summary>
    private protected virtual void LaunchScore(HeadKernels kernels, long groups, ScoreArgs args) => LaunchInOrder(kernels.Score, groups, args);

    private static HeadModel Rows(HeadModel model, int from, int count) =>
        model with { Hidden = model.Hidden with { Offset = model.Hidden.Offset + ((long)from * model.Hidden.RowStride), Rows = count } };

    /// <summary>The head's kernels for two output projections.</summary>
    private protected virtual HeadKernels HeadKernelsFor(Weight reference, Weight aligned) =>
        HeadKernels.For(form, reference.DType, aligned.DType);

    /// <summary>Whether both projections are of one weight and nothing bends the logits before they are mixed.</summary>
    private protected virtual bool IsProjectedOnce(HeadModel reference, HeadModel aligned) =>
        reference.Output == aligned.Output && reference.Bias == aligned.Bias && reference.SoftCap is null && aligned.SoftCap is null;

    private HeadArgs HeadArguments(HeadModel? reference, HeadModel? aligned, int vocabulary)
    {
        HeadModel any = (aligned ?? reference)!;
        long blocks = Tiles(any.Hidden.Rows, ProjectionRows.Block);
        return new()
        {
            Reference = View(reference, any),
            Aligned = View(aligned, any),
            Vocabulary = vocabulary,
            Rows = none.As<HeadRow>(),
            Adjustments = none.As<TokenAdjustment>(),
            Results = none.As<HeadResult>(),
            TopTokens = none.As<TopToken>(),
            Folds = none.As<TileFold>(),
            CutScores = none.As<float>(),
            CutTokens = none.As<int>(),
            CutBounds = none.As<float>(),
            TopScores = none.As<float>(),
            TopIds = none.As<int>(),
            Counters = Scratch("arrivals", blocks * sizeof(int)).As<int>(),
            Stages = none.As<int>(),
            States = none.As<SweepState>(),
            Histograms = none.As<float>(),
        };
    }

    private HeadModelView View(HeadModel? model, HeadModel shape) => new()
    {
        IsPresent = model is null ? 0 : 1,
        Hidden = View((model ?? shape).Hidden),
        Output = View((model ?? shape).Output),
        Bias = View(model?.Bias),
        SoftCap = model?.SoftCap ?? 0,
    };

    /// <summary>An operation may overwrite what further sweeps of a head read, so the head is settled first.</summary>
    private protected virtual void SettleBeforeOverwriting()
    {
        if (pending is not null)
        {
            launcher.Synchronize();
            SettlePendingHeads();
        }
    }

    /// <summary>Launches further sweeps until every row of the last head has its token; the device is idle before and after.</summary>
    private void SettlePendingHeads()
    {
        if (pending is not { } head)
        {
            return;
        }

        pending = null;
        var stages = new int[head.Args.RowCount];
        Read<int>(head.Stages, 0, stages);
        HeadArgs args = head.Args;
        while (stages.Any(stage => stage != SweepStage.Done))
        {
            args.Histograms = Scratch(
                "histograms", (long)args.RowCount * args.Tiles * 2 * HeadArgs.Bins * sizeof(float)).As<float>();
            launcher.Launch(head.Sweep, head.Groups, GroupSize, args);
            Read<int>(head.Stages, 0, stages);
        }
    }

    /// <summary>A head that may need further sweeps.</summary>
    private protected sealed record PendingHead(HeadArgs Args, PortableBuffer Stages, Action<HeadArgs> Sweep, long Groups);
}

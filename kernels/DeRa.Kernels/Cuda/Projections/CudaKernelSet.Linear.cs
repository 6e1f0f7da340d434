using DeRa.Kernels.Portable;

namespace DeRa.Kernels.Cuda;

public sealed partial class CudaKernelSet
{
    /// <inheritdoc />
    /// <remarks>A projection waits for others of the same x, or for a norm of what it adds to.</remarks>
    protected override void EnqueueLinear(Matrix x, Weight w, Weight? bias, Matrix y, bool accumulate)
    {
        if (!UsesTensorCores(w))
        {
            base.EnqueueLinear(x, w, bias, y, accumulate);
        }
        else if (x.Rows > 0 && w.Rows > 0)
        {
            Defer(new PendingLinears.Projection(x, w, bias, y, accumulate));
        }
    }

    /// <inheritdoc />
    protected override void EnqueueGatedLinear(
        Matrix x, Weight gate, Weight? gateBias, Weight up, Weight? upBias, ActivationKind activation, Matrix gateUp, Matrix y)
    {
        if (x.Rows == 0 || gate.Rows == 0 || gate.DType != up.DType || gate.RowStride != up.RowStride || !UsesTensorCores(gate) || !UsesTensorCores(up))
        {
            base.EnqueueGatedLinear(x, gate, gateBias, up, upBias, activation, gateUp, y);
            return;
        }

        LinearPart part = Part(new PendingLinears.Projection(x, gate, gateBias, y, false)) with
        {
            Lower = View(up),
            LowerBias = View(upBias),
            Outputs = Fragments.Outputs / 2,
        };
        Project(gate.DType, x, [part], new TensorLinearArgs { Activation = (int)activation });
    }

    /// <inheritdoc />
    protected override void EnqueueRmsNorm(Matrix x, Weight gain, float epsilon, bool unitOffset, Matrix y, bool accumulate)
    {
        if (!accumulate && TryTakeOnlyPending(linear => CanBeFollowed(linear, x), out PendingLinears.Projection before))
        {
            ProjectAndNormalise(before, RmsArguments(x, gain, epsilon, unitOffset, y, accumulate), FollowingNorm.Rms);
        }
        else
        {
            base.EnqueueRmsNorm(x, gain, epsilon, unitOffset, y, accumulate);
        }
    }

    /// <inheritdoc />
    protected override void EnqueueLayerNorm(Matrix x, Weight gain, Weight? bias, float epsilon, Matrix y)
    {
        if (TryTakeOnlyPending(linear => CanBeFollowed(linear, x), out PendingLinears.Projection before))
        {
            ProjectAndNormalise(before, LayerArguments(x, gain, bias, epsilon, y), FollowingNorm.Layer);
        }
        else
        {
            base.EnqueueLayerNorm(x, gain, bias, epsilon, y);
        }
    }

    /// <inheritdoc />
    public override long ScratchEstimate(StepScratch steps)
    {
        ArgumentNullException.ThrowIfNull(steps);
        long Partials(int outputs, int inputs)
        {
            // Beyond few rows only what does not fill the device twice over is split.
            long skinny = (long)SkinnyLinearKernel<TensorFloat16>.Rows * outputs;
            long tile = LinearTile.Size, tiled = Math.Min((long)steps.Tokens * outputs, 2 * Multiprocessors * tile * tile);
            return LinearPlan.For(outputs, inputs).Segments * Math.Max(skinny, tiled) * sizeof(float);
        }

        long partials = steps.Projections.Select(projection => Partials(projection.Outputs, projection.Inputs)).DefaultIfEmpty().Max();
        int inputs = OrderedRoundKernel<TensorFloat16>.Stride(steps.Projections.Select(projection => projection.Inputs).DefaultIfEmpty().Max());
        long rounded = (long)steps.Tokens * sizeof(ushort) * inputs;
        return base.ScratchEstimate(steps) + partials + rounded;
    }

    /// <inheritdoc />
    private protected override void LaunchLinears(IReadOnlyList<PendingLinears.Projection> parts) => Project(
        parts[0].W.DType, parts[0].X, [.. parts.Select(Part)],
        new TensorLinearArgs { Activation = TensorLinearArgs.NoActivation, Accumulate = parts[0].Accumulate ? 1 : 0 });

    private static bool CanBeFollowed(PendingLinears.Projection linear, Matrix x) =>
        linear.Y == x && x.Rows <= SkinnyLinearKernel<TensorFloat16>.NormedRows;

    private void ProjectAndNormalise(PendingLinears.Projection linear, NormArgs norm, int kind) => Project(
        linear.W.DType, linear.X, [Part(linear)],
        new TensorLinearArgs
        {
            Activation = TensorLinearArgs.NoActivation,
            Accumulate = linear.Accumulate ? 1 : 0,
            Norm = norm,
            NormKind = kind,
        });

    private LinearPart Part(PendingLinears.Projection linear)
    {
        LinearPlan plan = LinearPlan.For(linear.W.Rows, linear.W.Columns);
        return new()
        {
            W = View(linear.W),
            Bias = View(linear.Bias),
            Lower = View(linear.W),
            LowerBias = View(linear.Bias),
            Y = View(linear.Y),
            Outputs = Fragments.Outputs,
            SegmentBlocks = plan.SegmentBlocks,
            Segments = plan.Segments,
        };
    }

    private void Project(DType type, Matrix x, LinearPart[] parts, TensorLinearArgs args) => Project(
        x.Rows <= SkinnyLinearKernel<TensorFloat16>.Rows ? null : FormOfManyRows(type), type, x, parts, args);

    // By the form of few rows when null.
    private void Project(ManyRowsForm? form, DType type, Matrix x, LinearPart[] parts, TensorLinearArgs args, bool? isSplit = null)
    {
        if (type == DType.BF16)
        {
            Project<TensorBFloat16>(form, type, x, parts, args, isSplit);
        }
        else
        {
            Project<TensorFloat16>(form, type, x, parts, args, isSplit);
        }
    }

    // Whether segments have groups of their own is the form's and the number of tiles', unless it is said.
    private void Project<TFormat>(ManyRowsForm? form, DType type, Matrix x, LinearPart[] parts, TensorLinearArgs args, bool? splits)
        where TFormat : struct, ITensorFormat
    {
        long groups = 0, partials = 0, counters = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            ref LinearPart part = ref parts[i];
            long tiles = form is null
                ? Tiles(part.Lines, SkinnyLinearKernel<TFormat>.Lines)
                : Tiles(part.Lines, LinearTile.Size) * Tiles(x.Rows, LinearTile.Size);

            // Where tiles alone do not fill the device twice over, every segment has a group of its own.
            bool isSplit = form is null || (part.Segments > 1 && (splits ?? tiles < 2 * Multiprocessors));
            bool isGated = args.Activation != TensorLinearArgs.NoActivation, hasNorm = args.NormKind != FollowingNorm.None;
            part.SegmentsPerGroup = isSplit ? 1 : part.Segments;
            part.IsDirect = part.SegmentsPerGroup == part.Segments && !isGated && !hasNorm ? 1 : 0;
            part.FirstGroup = checked((int)groups);
            part.FirstCounter = (int)counters;
            part.FirstPartial = partials;
            groups += tiles * (part.Segments / part.SegmentsPerGroup);
            bool keeps = isSplit && part.IsDirect == 0;
            partials += keeps ? (long)part.Segments * x.Rows * part.Lines : 0;
            counters += keeps ? tiles : 0;
        }

        args.X = View(x);
        args.Rounded = None.As<ushort>();
        args.First = parts[0];
        args.Second = parts.Length > 1 ? parts[1] : parts[0] with { FirstGroup = int.MaxValue };
        args.Third = parts.Length > 2 ? parts[2] : parts[0] with { FirstGroup = int.MaxValue };
        args.Partials = (partials > 0 ? Scratch("partial sums", partials * sizeof(float)) : None).As<float>();
        args.Counters = (partials > 0 ? Scratch("linear arrivals", (counters + 1) * sizeof(int)) : None).As<int>();
        if (args.NormKind == FollowingNorm.None)
        {
            args.Norm = new NormArgs { X = args.X, Y = args.X, Gain = parts[0].W, Bias = parts[0].W };
        }

        if (form is null)
        {
            LaunchInOrder(SkinnyLinearKernel<TFormat>.Run, groups, args, SkinnyLinearKernel<TFormat>.GroupSize);
            return;
        }

        int stride = form.IsOrdered ? OrderedRoundKernel<TFormat>.Stride(x.Columns) : Fragments.Padded(x.Columns);
        PortableBuffer rounded = Scratch("rounded activations", (long)x.Rows * stride * sizeof(ushort));
        args.Rounded = rounded.As<ushort>();
        long roundGroups = Elementwise.Groups(x.Rows, stride);
        if (form.IsOrdered)
        {
            LaunchInOrder(OrderedRoundKernel<TFormat>.Run, roundGroups, new OrderedRoundArgs { X = args.X, Rounded = rounded.As<Four>() });
        }
        else
        {
            LaunchInOrder(RoundKernel<TFormat>.Run, roundGroups, new RoundArgs { X = args.X, Rounded = rounded.As<Quad>() });
        }

        LaunchInOrder(form.Kernel(type), groups, args, form.GroupSize, form.Needs);
    }
}

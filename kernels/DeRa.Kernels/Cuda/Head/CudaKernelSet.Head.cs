using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

public sealed partial class CudaKernelSet
{
    /// <inheritdoc />
    private protected override HeadKernels HeadKernelsFor(Weight reference, Weight aligned) =>
        !UsesTensorCores(reference) || !UsesTensorCores(aligned)
            ? base.HeadKernelsFor(reference, aligned)
            : (reference.DType, aligned.DType) switch
            {
                (DType.BF16, DType.BF16) => HeadKernels.Of<TensorProjector<TensorBFloat16>, TensorProjector<TensorBFloat16>>(),
                (DType.BF16, _) => HeadKernels.Of<TensorProjector<TensorBFloat16>, TensorProjector<TensorFloat16>>(),
                (_, DType.BF16) => HeadKernels.Of<TensorProjector<TensorFloat16>, TensorProjector<TensorBFloat16>>(),
                _ => HeadKernels.Of<TensorProjector<TensorFloat16>, TensorProjector<TensorFloat16>>(),
            };

    /// <inheritdoc />
    private protected override void LaunchHead(HeadKernels kernels, long groups, HeadArgs args)
    {
        if (!IsWide(args))
        {
            base.LaunchHead(kernels, groups, args);
            return;
        }

        var wide = new WideHeadArgs
        {
            Head = args,
            ReferenceRounded = Rounded(args.Reference, "rounded reference states"),
            AlignedRounded = Rounded(args.Aligned, "rounded aligned states"),
        };
        LaunchInOrder(
            Formats(args) switch
            {
                (DType.BF16, DType.BF16) => WideHeadKernel<TensorBFloat16, TensorBFloat16>.Head,
                (DType.BF16, _) => WideHeadKernel<TensorBFloat16, TensorFloat16>.Head,
                (_, DType.BF16) => WideHeadKernel<TensorFloat16, TensorBFloat16>.Head,
                _ => WideHeadKernel<TensorFloat16, TensorFloat16>.Head,
            },
            args.Tiles * Tiles(args.RowCount, WideSums.Rows), wide);
    }

    /// <inheritdoc />
    private protected override void LaunchScore(HeadKernels kernels, long groups, ScoreArgs args)
    {
        if (!IsWide(args.Head))
        {
            base.LaunchScore(kernels, groups, args);
            return;
        }

        var wide = new WideScoreArgs
        {
            Score = args,
            ReferenceRounded = Rounded(args.Head.Reference, "rounded reference states"),
            AlignedRounded = Rounded(args.Head.Aligned, "rounded aligned states"),
        };
        LaunchInOrder(
            Formats(args.Head) switch
            {
                (DType.BF16, DType.BF16) => WideHeadKernel<TensorBFloat16, TensorBFloat16>.Score,
                (DType.BF16, _) => WideHeadKernel<TensorBFloat16, TensorFloat16>.Score,
                (_, DType.BF16) => WideHeadKernel<TensorFloat16, TensorBFloat16>.Score,
                _ => WideHeadKernel<TensorFloat16, TensorFloat16>.Score,
            },
            args.Head.Tiles * Tiles(args.Head.RowCount, WideSums.Rows), wide);
    }

    /// <inheritdoc />
    /// <remarks>
    /// Rounding the mixture of two hidden states is not the mixture of the rounded ones. The weights are read from device memory once either way.
    /// </remarks>
    private protected override bool IsProjectedOnce(HeadModel reference, HeadModel aligned) =>
        !UsesTensorCores(reference.Output) && base.IsProjectedOnce(reference, aligned);

    // Both views have the weight of the model that is present where the other is not.
    private bool IsWide(HeadArgs args) =>
        args.RowCount > WideTile.BlockRows && UsesTensorCores(args.Reference) && UsesTensorCores(args.Aligned);

    private bool UsesTensorCores(HeadModelView model) =>
        HasTensorCores((DType)model.Output.DType) && model.Output.RowStride % Fragments.Load == 0 && model.Output.Offset % Fragments.Load == 0;

    private static (DType Reference, DType Aligned) Formats(HeadArgs args) =>
        ((DType)args.Reference.Output.DType, (DType)args.Aligned.Output.DType);

    // Hidden states in the weight's type, once for all groups.
    private ArrayView<ushort> Rounded(HeadModelView model, string name)
    {
        if (model.IsPresent == 0)
        {
            return None.As<ushort>();
        }

        int rows = model.Hidden.Rows, columns = model.Output.RowStride;
        PortableBuffer rounded = Scratch(name, (long)rows * columns * sizeof(ushort));
        LaunchInOrder(
            (DType)model.Output.DType == DType.BF16 ? RoundKernel<TensorBFloat16>.Run : RoundKernel<TensorFloat16>.Run,
            Elementwise.Groups(rows, columns), new RoundArgs { X = model.Hidden, Rounded = rounded.As<Quad>() });
        return rounded.As<ushort>();
    }
}

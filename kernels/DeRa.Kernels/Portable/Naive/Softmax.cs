using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>p = softmax(x) per row in place: the unfused baseline. Bound: bytes of x, read three times and written twice. One group per row.</summary>
internal static class SoftmaxKernel
{
    public static void Run(SoftmaxArgs args)
    {
        ArrayView<float> scratch = SharedMemory.Allocate<float>(Team.Size);
        int columns = args.X.Columns;
        long row = args.X.Row(Grid.IdxX);
        float max = float.NegativeInfinity;
        for (int i = Group.IdxX; i < columns; i += Group.DimX)
        {
            float x = args.X.Data[row + i];
            max = x > max ? x : max;
        }

        max = Team.Max<CooperativeForm>(scratch, max);
        for (int i = Group.IdxX; i < columns; i += Group.DimX)
        {
            args.X.Data[row + i] = MathF.Exp(args.X.Data[row + i] - max);
        }

        // A work-item adds what it wrote itself.
        float sum = Team.Sum<CooperativeForm>(scratch, RowSum.Values(args.X.Data, row, columns));
        for (int i = Group.IdxX; i < columns; i += Group.DimX)
        {
            args.X.Data[row + i] /= sum;
        }
    }
}

/// <summary>Arguments of <see cref="SoftmaxKernel"/>.</summary>
internal struct SoftmaxArgs
{
    public MatrixView X;
}

public partial class PortableKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueInterpolate(Matrix reference, Matrix aligned, DeviceBuffer rows, Matrix z) => LaunchInOrder(
        MixKernel.Run, Elementwise.Groups(z.Rows, z.Columns),
        new MixArgs { Reference = View(reference), Aligned = View(aligned), Rows = Own(rows).As<HeadRow>(), Mixed = View(z) });

    /// <inheritdoc />
    protected override void EnqueueSoftmax(Matrix x) => LaunchInOrder(SoftmaxKernel.Run, x.Rows, new SoftmaxArgs { X = View(x) });
}

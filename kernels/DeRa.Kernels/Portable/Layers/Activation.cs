using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>x = activation(x), or y = activation(gate)·up. Bound: bytes of its operands.</summary>
internal static class ActivationKernel
{
    public static void InPlace(ActivationArgs args)
    {
        long row = args.X.Row(Elementwise.Row(args.X.Columns));
        for (int i = Elementwise.First(args.X.Columns); i < Elementwise.End(args.X.Columns); i += Group.DimX)
        {
            args.X.Data[row + i] = ActivationMath.Apply(args.Kind, args.X.Data[row + i]);
        }
    }

    public static void Gated(ActivationArgs args)
    {
        int columns = args.Y.Columns, index = Elementwise.Row(columns);
        long x = args.X.Row(index), y = args.Y.Row(index);
        for (int i = Elementwise.First(columns); i < Elementwise.End(columns); i += Group.DimX)
        {
            args.Y.Data[y + i] = ActivationMath.Apply(args.Kind, args.X.Data[x + i]) * args.X.Data[x + columns + i];
        }
    }

    public static void SoftCap(ActivationArgs args)
    {
        long row = args.X.Row(Elementwise.Row(args.X.Columns));
        for (int i = Elementwise.First(args.X.Columns); i < Elementwise.End(args.X.Columns); i += Group.DimX)
        {
            args.X.Data[row + i] = ActivationMath.SoftCap(args.X.Data[row + i], args.Cap);
        }
    }
}

/// <summary>y = silu(gate)·up by one work-item of a processor for a stretch of a row, SIMD inside: what nearly all models ask for.</summary>
internal static class SerialGatedSiluKernel
{
    public static void Run(ActivationArgs args)
    {
        int columns = args.Y.Columns, index = Elementwise.Row(columns), first = Elementwise.First(columns);
        long x = args.X.Row(index) + first;
        SerialMath.GatedSilu(
            ref args.X.Data[x], ref args.X.Data[x + columns], ref args.Y.Data[args.Y.Row(index) + first], Elementwise.End(columns) - first);
    }
}

/// <summary>Arguments of <see cref="ActivationKernel"/>: X [rows, n] and Y unused, or X [rows, 2n] and Y [rows, n].</summary>
internal struct ActivationArgs
{
    public MatrixView X;
    public MatrixView Y;
    public int Kind;
    public float Cap;
}

public partial class PortableKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueActivation(Matrix x, ActivationKind activation) => LaunchInOrder(
        ActivationKernel.InPlace, Elementwise.Groups(x.Rows, x.Columns),
        new ActivationArgs { X = View(x), Y = View(x), Kind = (int)activation });

    /// <inheritdoc />
    protected override void EnqueueGatedActivation(Matrix gateUp, ActivationKind activation, Matrix y) => LaunchInOrder<ActivationArgs>(
        form == KernelForm.Serial && activation == ActivationKind.Silu ? SerialGatedSiluKernel.Run : ActivationKernel.Gated,
        Elementwise.Groups(y.Rows, y.Columns),
        new ActivationArgs { X = View(gateUp), Y = View(y), Kind = (int)activation });

    /// <inheritdoc />
    protected override void EnqueueSoftCap(Matrix x, float cap) => LaunchInOrder(
        ActivationKernel.SoftCap, Elementwise.Groups(x.Rows, x.Columns), new ActivationArgs { X = View(x), Y = View(x), Cap = cap });
}

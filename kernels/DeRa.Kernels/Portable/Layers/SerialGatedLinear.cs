using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// y = silu(x·W_gᵀ + b_g)·(x·W_uᵀ + b_u) in one launch: a work-item owns a tile of outputs of both weights, so what it multiplies is still in its cache.
/// Bound: the weights' bytes for few rows, 4·rows·in·out FLOPs for many. Grid: tiles.
/// </summary>
internal static class SerialGatedLinearKernel<TFormat>
    where TFormat : struct, IWeightFormat
{
    public static void Run(SerialGatedLinearArgs args)
    {
        int from = Grid.IdxX * args.Tile, outputs = IntrinsicMath.Min(args.Tile, args.Y.Columns - from), depth = args.X.Columns;
        for (int up = 0; up < 2; up++)
        {
            // One call for both: the tiles' code is long.
            WeightView weight = up == 0 ? args.Gate : args.Up, bias = up == 0 ? args.GateBias : args.UpBias;
            long target = args.GateUp.Offset + up * args.Y.Columns + from;
            SerialTile.Rows(
                ref weight.Data[TFormat.Units * (weight.Offset + (long)from * depth)], ref args.X.Data[args.X.Offset], ref args.GateUp.Data[target],
                depth, outputs, args.X.Rows, args.X.RowStride, args.GateUp.RowStride, 0, SerialTile.ManyRows, TFormat.Code);
            for (int row = 0; row < args.X.Rows && bias.IsPresent != 0; row++)
            {
                for (int i = 0; i < outputs; i++)
                {
                    args.GateUp.Data[target + (long)row * args.GateUp.RowStride + i] += bias.At(from + i);
                }
            }
        }

        for (int row = 0; row < args.X.Rows; row++)
        {
            long gate = args.GateUp.Row(row) + from;
            SerialMath.GatedSilu(
                ref args.GateUp.Data[gate], ref args.GateUp.Data[gate + args.Y.Columns], ref args.Y.Data[args.Y.Row(row) + from], outputs);
        }
    }
}

/// <summary>Arguments of <see cref="SerialGatedLinearKernel{TFormat}"/>.</summary>
internal struct SerialGatedLinearArgs
{
    public MatrixView X;
    public WeightView Gate;
    public WeightView GateBias;
    public WeightView Up;
    public WeightView UpBias;
    public MatrixView GateUp;
    public MatrixView Y;
    public int Tile;
}

public partial class PortableKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueGatedLinear(
        Matrix x, Weight gate, Weight? gateBias, Weight up, Weight? upBias, ActivationKind activation, Matrix gateUp, Matrix y)
    {
        bool isOne = form == KernelForm.Serial && activation == ActivationKind.Silu && gate.DType == up.DType && !gate.InputMajor && !up.InputMajor;
        if (!isOne || y.Rows == 0 || y.Columns == 0)
        {
            base.EnqueueGatedLinear(x, gate, gateBias, up, upBias, activation, gateUp, y);
            return;
        }

        // Whole vectors of the activation and whole register tiles, so that an output is computed alike wherever the tiles are cut.
        const int Step = 24;
        int tile = (SerialLinearTile(y.Columns, x.Rows) + Step - 1) / Step * Step;
        LaunchInOrder(SerialGatedLinear(gate.DType), Tiles(y.Columns, tile), new SerialGatedLinearArgs
        {
            X = View(RowsShareCacheSets(x) ? CopyRowsApart(x) : x),
            Gate = View(gate),
            GateBias = View(gateBias),
            Up = View(up),
            UpBias = View(upBias),
            GateUp = View(gateUp),
            Y = View(y),
            Tile = tile,
        });
    }

    private static Action<SerialGatedLinearArgs> SerialGatedLinear(DType dtype) => dtype switch
    {
        DType.BF16 => SerialGatedLinearKernel<BFloat16Format>.Run,
        DType.F16 => SerialGatedLinearKernel<Float16Format>.Run,
        _ => SerialGatedLinearKernel<Float32Format>.Run,
    };
}

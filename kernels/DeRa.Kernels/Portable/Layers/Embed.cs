using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>output[t] = scale·table[token of t] (+ positions); or rows of an activation matrix gathered. Bound: bytes moved.</summary>
internal static class EmbedKernel
{
    public static void Run(EmbedArgs args)
    {
        int columns = args.Output.Columns, token = Elementwise.Row(columns);
        long entry = (long)args.Tokens.At(token) * args.Table.RowStride, output = args.Output.Row(token);
        for (int i = Elementwise.First(columns); i < Elementwise.End(columns); i += Group.DimX)
        {
            float value = args.Scale * args.Table.At(entry + i);
            if (args.PositionTable.IsPresent != 0)
            {
                value += args.PositionTable.At((long)args.Positions.At(token) * args.PositionTable.RowStride + i);
            }

            args.Output.Data[output + i] = value;
        }
    }
}

/// <summary>Arguments of <see cref="EmbedKernel"/>.</summary>
internal struct EmbedArgs
{
    public IntView Tokens;
    public WeightView Table;
    public float Scale;
    public IntView Positions;
    public WeightView PositionTable;
    public MatrixView Output;
}

/// <summary>y[i] = x[rows[i]].</summary>
internal static class GatherKernel
{
    public static void Run(GatherArgs args)
    {
        int columns = args.Y.Columns, index = Elementwise.Row(columns);
        long x = args.X.Row(args.Rows.At(index)), y = args.Y.Row(index);
        for (int i = Elementwise.First(columns); i < Elementwise.End(columns); i += Group.DimX)
        {
            args.Y.Data[y + i] = args.X.Data[x + i];
        }
    }
}

/// <summary>Arguments of <see cref="GatherKernel"/>.</summary>
internal struct GatherArgs
{
    public MatrixView X;
    public IntView Rows;
    public MatrixView Y;
}

public partial class PortableKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueEmbed(
        IntVector tokens, Weight table, float scale, IntVector? positions, Weight? positionTable, Matrix output) => LaunchInOrder(
        EmbedKernel.Run, Elementwise.Groups(output.Rows, output.Columns),
        new EmbedArgs
        {
            Tokens = View(tokens),
            Table = View(table),
            Scale = scale,
            Positions = View(positions ?? tokens),
            PositionTable = View(positionTable),
            Output = View(output),
        });

    /// <inheritdoc />
    protected override void EnqueueGather(Matrix x, IntVector rows, Matrix y) => LaunchInOrder(
        GatherKernel.Run, Elementwise.Groups(y.Rows, y.Columns), new GatherArgs { X = View(x), Rows = View(rows), Y = View(y) });
}

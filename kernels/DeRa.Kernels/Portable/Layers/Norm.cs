using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// RmsNorm: y (+)= x / √(mean(x²) + ε)·gain. LayerNorm: y = (x − mean) / √(var + ε)·gain + bias, the variance in a second pass over the row.
/// Bound: bytes of x and y. One group per row of y; which row of x it reads is its own number, or looked up.
/// </summary>
internal static class NormKernel
{
    public static void Rms(RowsNormArgs args) => RmsRow(args.Norm, args.Row(Grid.IdxX), Grid.IdxX, SharedMemory.Allocate<float>(Team.Size));

    public static void Layer(RowsNormArgs args) => LayerRow(args.Norm, args.Row(Grid.IdxX), Grid.IdxX, SharedMemory.Allocate<float>(Team.Size));

    /// <summary>One row by the whole group; <paramref name="scratch"/> is [Team.Size] of shared memory.</summary>
    public static void RmsRow(NormArgs args, int row, ArrayView<float> scratch) => RmsRow(args, row, row, scratch);

    /// <summary>One row by the whole group; <paramref name="scratch"/> is [Team.Size] of shared memory.</summary>
    public static void LayerRow(NormArgs args, int row, ArrayView<float> scratch) => LayerRow(args, row, row, scratch);

    private static void RmsRow(NormArgs args, int from, int to, ArrayView<float> scratch)
    {
        int columns = args.X.Columns;
        long x = args.X.Row(from), y = args.Y.Row(to);
        float squares = Team.Sum<CooperativeForm>(scratch, RowSum.Squares(args.X.Data, x, columns, 0f));
        float scale = 1f / MathF.Sqrt(squares / columns + args.Epsilon);
        for (int i = Group.IdxX; i < columns; i += Group.DimX)
        {
            float gain = args.Gain.At(i);
            float value = args.X.Data[x + i] * scale * (args.UnitOffset != 0 ? 1f + gain : gain);
            args.Y.Data[y + i] = args.Accumulate != 0 ? args.Y.Data[y + i] + value : value;
        }
    }

    private static void LayerRow(NormArgs args, int from, int to, ArrayView<float> scratch)
    {
        int columns = args.X.Columns;
        long x = args.X.Row(from), y = args.Y.Row(to);
        float mean = Team.Sum<CooperativeForm>(scratch, RowSum.Values(args.X.Data, x, columns)) / columns;
        float variance = Team.Sum<CooperativeForm>(scratch, RowSum.Squares(args.X.Data, x, columns, mean)) / columns;
        float scale = 1f / MathF.Sqrt(variance + args.Epsilon);
        for (int i = Group.IdxX; i < columns; i += Group.DimX)
        {
            float value = (args.X.Data[x + i] - mean) * scale * args.Gain.At(i);
            args.Y.Data[y + i] = args.Bias.IsPresent != 0 ? value + args.Bias.At(i) : value;
        }
    }
}

/// <summary>
/// A work-item's share of a sum over a row: every Group.DimX-th element, 32 at a time, so that rounding grows with the number of blocks and not
/// with the number of elements.
/// </summary>
internal static class RowSum
{
    private const int Block = 32;

    public static float Values(ArrayView<float> data, long first, int count)
    {
        float sum = 0;
        for (int i = Group.IdxX; i < count; i += Block * Group.DimX)
        {
            float part = 0;
            for (int j = i; j < IntrinsicMath.Min(count, i + Block * Group.DimX); j += Group.DimX)
            {
                part += data[first + j];
            }

            sum += part;
        }

        return sum;
    }

    public static float Squares(ArrayView<float> data, long first, int count, float mean)
    {
        float sum = 0;
        for (int i = Group.IdxX; i < count; i += Block * Group.DimX)
        {
            float part = 0;
            for (int j = i; j < IntrinsicMath.Min(count, i + Block * Group.DimX); j += Group.DimX)
            {
                float centred = data[first + j] - mean;
                part += centred * centred;
            }

            sum += part;
        }

        return sum;
    }
}

/// <summary>What a norm reads and writes.</summary>
internal struct NormArgs
{
    public MatrixView X;
    public WeightView Gain;
    public WeightView Bias;
    public float Epsilon;
    public int UnitOffset;
    public int Accumulate;
    public MatrixView Y;
}

/// <summary>Arguments of <see cref="NormKernel"/>: a norm, and which rows of x it takes, all of them in order without <see cref="HasRows"/>.</summary>
internal struct RowsNormArgs
{
    public NormArgs Norm;
    public IntView Rows;
    public int HasRows;

    /// <summary>The row of x that row <paramref name="i"/> of y comes from; without a branch, behind which compilers would repeat all barriers.</summary>
    public readonly int Row(int i) => Rows.At(i * HasRows) * HasRows + i * (1 - HasRows);
}

public partial class PortableKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueRmsNorm(Matrix x, Weight gain, float epsilon, bool unitOffset, Matrix y, bool accumulate) =>
        LaunchInOrder(NormKernel.Rms, x.Rows, OfRows(RmsArguments(x, gain, epsilon, unitOffset, y, accumulate), null));

    /// <inheritdoc />
    protected override void EnqueueLayerNorm(Matrix x, Weight gain, Weight? bias, float epsilon, Matrix y) =>
        LaunchInOrder(NormKernel.Layer, x.Rows, OfRows(LayerArguments(x, gain, bias, epsilon, y), null));

    /// <inheritdoc />
    protected override void EnqueueRmsNormRows(Matrix x, IntVector rows, Weight gain, float epsilon, bool unitOffset, Matrix y) =>
        LaunchInOrder(NormKernel.Rms, rows.Length, OfRows(RmsArguments(x, gain, epsilon, unitOffset, y, accumulate: false), rows));

    /// <inheritdoc />
    protected override void EnqueueLayerNormRows(Matrix x, IntVector rows, Weight gain, Weight? bias, float epsilon, Matrix y) =>
        LaunchInOrder(NormKernel.Layer, rows.Length, OfRows(LayerArguments(x, gain, bias, epsilon, y), rows));

    private RowsNormArgs OfRows(NormArgs norm, IntVector? rows) => new()
    {
        Norm = norm,
        Rows = rows is { } looked ? View(looked) : new IntView { Data = None.As<int>() },
        HasRows = rows is null ? 0 : 1,
    };

    private protected NormArgs RmsArguments(Matrix x, Weight gain, float epsilon, bool unitOffset, Matrix y, bool accumulate) => new()
    {
        X = View(x),
        Gain = View(gain),
        Bias = View((Weight?)null),
        Epsilon = epsilon,
        UnitOffset = unitOffset ? 1 : 0,
        Accumulate = accumulate ? 1 : 0,
        Y = View(y),
    };

    private protected NormArgs LayerArguments(Matrix x, Weight gain, Weight? bias, float epsilon, Matrix y) => new()
    {
        X = View(x),
        Gain = View(gain),
        Bias = View(bias),
        Epsilon = epsilon,
        Y = View(y),
    };
}

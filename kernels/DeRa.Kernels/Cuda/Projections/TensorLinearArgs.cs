using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// Arguments of the tensor-core projections: up to three weights over the same x in one launch, or a gate and an up projection whose results meet in the
/// activation, or one whose rows are normalised by the group that finishes last.
/// </summary>
internal struct TensorLinearArgs
{
    /// <summary><see cref="Activation"/> without a gate.</summary>
    public const int NoActivation = -1;

    public MatrixView X;

    /// <summary>[rows, depth] of X rounded to the weight's type, zeros past its columns; the form for many rows alone.</summary>
    public ArrayView<ushort> Rounded;
    public LinearPart First;
    public LinearPart Second;
    public LinearPart Third;
    public int Accumulate;

    /// <summary>The gate's <see cref="ActivationKind"/>, or <see cref="NoActivation"/>.</summary>
    public int Activation;

    /// <summary>Of each part, [segments, rows, lines] where groups sum one segment each.</summary>
    public ArrayView<float> Partials;

    /// <summary>Arrivals: [tiles] of each part, then one for all tiles.</summary>
    public ArrayView<int> Counters;

    /// <summary>What follows over all of the first part's rows, by <see cref="NormKind"/>.</summary>
    public NormArgs Norm;

    /// <summary>A <see cref="FollowingNorm"/>.</summary>
    public int NormKind;

    /// <summary>Inputs with the zeros behind them in every row of every part: a multiple of eight.</summary>
    public readonly int Depth => First.W.RowStride;

    /// <summary>The weight that this group works on.</summary>
    public readonly LinearPart Part()
    {
        int group = Grid.IdxX;
        return group < Second.FirstGroup ? First : group < Third.FirstGroup ? Second : Third;
    }

    /// <summary>Keeps the partial sums of a lane's four elements: lines l and l + 8, rows r and r + 1.</summary>
    public readonly void Keep(LinearPart part, Sums sums, int segment, int line, int row)
    {
        Keep(part, sums.A, segment, line, row);
        Keep(part, sums.B, segment, line, row + 1);
        Keep(part, sums.C, segment, line + 8, row);
        Keep(part, sums.D, segment, line + 8, row + 1);
    }

    /// <summary>Finishes a lane's four elements, where no activation follows.</summary>
    public readonly void Finish(LinearPart part, Sums sums, int line, int row)
    {
        Finish(part, sums.A, line, row);
        Finish(part, sums.B, line, row + 1);
        Finish(part, sums.C, line + 8, row);
        Finish(part, sums.D, line + 8, row + 1);
    }

    /// <summary>Adds up the kept segments in order and finishes; the first work-items of the group share out a tile.</summary>
    public readonly void Merge(LinearPart part, int firstLine, int lines, int firstRow, int rows, int workItems)
    {
        int first = part.Column(firstLine);
        int columns = IntrinsicMath.Min(part.Column(firstLine + lines), part.Y.Columns) - first, rowCount = IntrinsicMath.Min(rows, X.Rows - firstRow);
        for (int i = Group.IdxX; i < columns * rowCount; i += workItems)
        {
            int column = first + i % columns, row = firstRow + i / columns, line = part.Line(column);
            float sum = 0, other = 0;
            for (int segment = 0; segment < part.Segments; segment++)
            {
                sum += Partials[Partial(part, segment, line, row)];
                if (Activation != NoActivation)
                {
                    other += Partials[Partial(part, segment, line + 8, row)];
                }
            }

            Write(part, sum, other, column, row);
        }
    }

    /// <summary>y from its sum and, with a gate, the sum of the up projection.</summary>
    public readonly void Write(LinearPart part, float sum, float other, int column, int row)
    {
        long at = part.Y.Row(row) + column;
        float y = part.Bias.IsPresent != 0 ? sum + part.Bias.At(column) : sum;
        if (Activation != NoActivation)
        {
            y = ActivationMath.Apply(Activation, y) * (part.LowerBias.IsPresent != 0 ? other + part.LowerBias.At(column) : other);
        }

        part.Y.Data[at] = Accumulate != 0 ? part.Y.Data[at] + y : y;
    }

    private readonly void Keep(LinearPart part, float sum, int segment, int line, int row)
    {
        if (row < X.Rows && line < part.Lines)
        {
            Partials[Partial(part, segment, line, row)] = sum;
        }
    }

    private readonly void Finish(LinearPart part, float sum, int line, int row)
    {
        if (row < X.Rows && line < part.Y.Columns)
        {
            long at = part.Y.Row(row) + line;
            float y = part.Bias.IsPresent != 0 ? sum + part.Bias.At(line) : sum;
            part.Y.Data[at] = Accumulate != 0 ? part.Y.Data[at] + y : y;
        }
    }

    private readonly long Partial(LinearPart part, int segment, int line, int row) =>
        part.FirstPartial + ((long)segment * X.Rows + row) * part.Lines + line;
}

/// <summary>Which norm the last group of a projection applies to its rows.</summary>
internal static class FollowingNorm
{
    public const int None = 0, Rms = 1, Layer = 2;
}

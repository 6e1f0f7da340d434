using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>Arguments of the tensor-core projections.</summary>
internal struct TensorLinearArgs
{
    public MatrixView X;

    /// <summary>[rows, depth] of X rounded to the weight's type; the form for many rows alone.</summary>
    public ArrayView<ushort> Rounded;
    public WeightView W;
    public WeightView Bias;
    public MatrixView Y;
    public int Accumulate;
    public int SegmentBlocks;
    public int Segments;

    /// <summary>Segments that one group sums: all of them, or one.</summary>
    public int SegmentsPerGroup;

    /// <summary>[segments, rows, outputs] where groups sum one segment each.</summary>
    public ArrayView<float> Partials;

    /// <summary>[tiles] arrivals.</summary>
    public ArrayView<int> Counters;

    /// <summary>First element of an output's weights; outputs past the end repeat the last one and are dropped.</summary>
    public readonly long Weights(int output) => W.Offset + (long)IntrinsicMath.Min(output, Y.Columns - 1) * X.Columns;

    /// <summary>Keeps the partial sums of a lane's four elements: outputs o and o + 8, rows r and r + 1.</summary>
    public readonly void Keep(Sums sums, int segment, int output, int row)
    {
        Keep(sums.A, segment, output, row);
        Keep(sums.B, segment, output, row + 1);
        Keep(sums.C, segment, output + 8, row);
        Keep(sums.D, segment, output + 8, row + 1);
    }

    /// <summary>Finishes a lane's four elements.</summary>
    public readonly void Finish(Sums sums, int output, int row)
    {
        Finish(sums.A, output, row);
        Finish(sums.B, output, row + 1);
        Finish(sums.C, output + 8, row);
        Finish(sums.D, output + 8, row + 1);
    }

    /// <summary>Adds up the kept segments in order and finishes; the group shares out a tile.</summary>
    public readonly void Merge(int firstOutput, int outputs, int firstRow, int rows)
    {
        int outputCount = IntrinsicMath.Min(outputs, Y.Columns - firstOutput), rowCount = IntrinsicMath.Min(rows, X.Rows - firstRow);
        for (int i = Group.IdxX; i < outputCount * rowCount; i += Group.DimX)
        {
            int output = firstOutput + i % outputCount, row = firstRow + i / outputCount;
            float sum = 0;
            for (int segment = 0; segment < Segments; segment++)
            {
                sum += Partials[Partial(segment, output, row)];
            }

            Finish(sum, output, row);
        }
    }

    private readonly void Keep(float sum, int segment, int output, int row)
    {
        if (row < X.Rows && output < Y.Columns)
        {
            Partials[Partial(segment, output, row)] = sum;
        }
    }

    private readonly void Finish(float sum, int output, int row)
    {
        if (row < X.Rows && output < Y.Columns)
        {
            long at = Y.Row(row) + output;
            float y = Bias.IsPresent != 0 ? sum + Bias.At(output) : sum;
            Y.Data[at] = Accumulate != 0 ? Y.Data[at] + y : y;
        }
    }

    private readonly long Partial(int segment, int output, int row) => ((long)segment * X.Rows + row) * Y.Columns + output;
}

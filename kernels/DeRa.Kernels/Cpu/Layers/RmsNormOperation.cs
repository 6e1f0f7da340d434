using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>y = x / √(mean(x²) + ε) · gain, or y += …. Workers take rows.</summary>
internal unsafe struct RmsNormOperation : IRowOperation<RmsNormOperation>
{
    public float* X;
    public int XStride;
    public int Rows;
    public int Columns;
    public WeightVector Gain;
    public float Epsilon;
    public bool UnitOffset;
    public float* Y;
    public int YStride;
    public bool Accumulate;

    public static void Run(RmsNormOperation* self, Worker* worker)
    {
        while (worker->Take(self->Rows, out long from, out long to))
        {
            RunRows(self, worker, (int)from, (int)to);
        }
    }

    public static int CountRows(RmsNormOperation* self) => self->Rows;

    public static int Describe(RmsNormOperation* self, Span<RowBlock> blocks)
    {
        blocks[0] = new RowBlock(self->X, self->XStride, self->Columns);
        blocks[1] = new RowBlock(self->Y, self->YStride, self->Columns);
        return 2;
    }

    public static void RunRows(RmsNormOperation* self, Worker* worker, int from, int to)
    {
        for (long row = from; row < to; row++)
        {
            Row(
                self->X + row * self->XStride, self->Columns, self->Gain, self->Epsilon, self->UnitOffset,
                self->Y + row * self->YStride, self->Accumulate);
        }
    }

    /// <summary>Normalises one row, or one head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(float* x, int columns, WeightVector gain, float epsilon, bool unitOffset, float* y, bool accumulate)
    {
        float scale = 1f / MathF.Sqrt(RowSums.Squares(x, columns, 0) / columns + epsilon);
        for (int i = 0; i < columns; i += Lanes.Count)
        {
            int left = columns - i;
            Vector256<float> g = gain.Load(i, left);
            if (unitOffset)
            {
                g += Vector256<float>.One;
            }

            Vector256<float> value = Lanes.Load(x + i, left) * scale * g;
            if (accumulate)
            {
                value += Lanes.Load(y + i, left);
            }

            Lanes.Store(value, y + i, left);
        }
    }
}

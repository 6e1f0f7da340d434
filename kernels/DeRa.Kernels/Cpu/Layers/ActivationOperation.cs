using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// y = f(x), or y = f(x)·factor when a factor is given (gated activation). Bound: memory bandwidth of the cache that x is in. Workers take strips.
/// </summary>
internal unsafe struct ActivationOperation<TActivation> : IRowOperation<ActivationOperation<TActivation>>
    where TActivation : unmanaged, IActivation
{
    public float* X;
    public float* Factor;
    public int XStride;
    public int Rows;
    public int Columns;
    public float* Y;
    public int YStride;

    public static void Run(ActivationOperation<TActivation>* self, Worker* worker)
    {
        var strips = new Strips(self->Rows, self->Columns);
        while (worker->Take(strips.Count, out long from, out long to))
        {
            for (long strip = from; strip < to; strip++)
            {
                strips.Locate(strip, out long row, out int column, out int count);
                self->Strip(row, column, count);
            }
        }
    }

    public static int CountRows(ActivationOperation<TActivation>* self) => self->Rows;

    public static int Describe(ActivationOperation<TActivation>* self, Span<RowBlock> blocks)
    {
        blocks[0] = new RowBlock(self->X, self->XStride, self->Columns);
        blocks[1] = new RowBlock(self->Y, self->YStride, self->Columns);
        blocks[2] = new RowBlock(self->Factor, self->XStride, self->Columns);
        return self->Factor == null ? 2 : 3;
    }

    public static void RunRows(ActivationOperation<TActivation>* self, Worker* worker, int from, int to)
    {
        for (long row = from; row < to; row++)
        {
            self->Strip(row, 0, self->Columns);
        }
    }

    private readonly void Strip(long row, int column, int count)
    {
        long source = row * XStride + column;
        Strip(X + source, Factor == null ? null : Factor + source, count, Y + row * YStride + column);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Strip(float* x, float* factor, int count, float* y)
    {
        for (int i = 0; i < count; i += Lanes.Count)
        {
            int left = count - i;
            Vector256<float> value = TActivation.Apply(Lanes.Load(x + i, left));
            if (factor != null)
            {
                value *= Lanes.Load(factor + i, left);
            }

            Lanes.Store(value, y + i, left);
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// y = f(x), or y = f(x)·factor when a factor is given (gated activation). Bound: memory bandwidth of the cache that x is in. Workers take strips.
/// </summary>
internal unsafe struct ActivationOperation<TActivation> : IOperation<ActivationOperation<TActivation>>
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
                long source = row * self->XStride + column;
                Strip(
                    self->X + source, self->Factor == null ? null : self->Factor + source, count, self->Y + row * self->YStride + column);
            }
        }
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

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>x = cap · tanh(x / cap) in place. Workers take strips.</summary>
internal unsafe struct SoftCapOperation : IOperation<SoftCapOperation>
{
    public float* X;
    public int XStride;
    public int Rows;
    public int Columns;
    public float Cap;

    public static void Run(SoftCapOperation* self, Worker* worker)
    {
        var strips = new Strips(self->Rows, self->Columns);
        while (worker->Take(strips.Count, out long from, out long to))
        {
            for (long strip = from; strip < to; strip++)
            {
                strips.Locate(strip, out long row, out int column, out int count);
                Apply(self->X + row * self->XStride + column, count, self->Cap);
            }
        }
    }

    /// <summary>Caps <paramref name="count"/> values in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Apply(float* x, int count, float cap)
    {
        Vector256<float> limit = Vector256.Create(cap);
        for (int i = 0; i < count; i += Lanes.Count)
        {
            int left = count - i;
            Lanes.Store(VectorMath.Tanh(Lanes.Load(x + i, left) / limit) * limit, x + i, left);
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// p = softmax(x) per row, in place: two sums per part of a row, merged in order in a second phase, then one pass that divides. Workers take parts.
/// </summary>
internal unsafe struct SoftmaxOperation : IOperation<SoftmaxOperation>
{
    private const int Part = 2048;

    public float* X;
    public int XStride;
    public int Rows;
    public int Columns;

    private readonly int Parts => (Columns + Part - 1) / Part;

    /// <summary>Bytes of shared scratch: a sum per part.</summary>
    public readonly long SharedBytes => (long)Rows * Parts * sizeof(ExponentialSum);

    public static void Run(SoftmaxOperation* self, Worker* worker)
    {
        int parts = self->Parts;
        var sums = (ExponentialSum*)worker->Shared;
        while (worker->Take((long)self->Rows * parts, out long from, out long to))
        {
            for (long i = from; i < to; i++)
            {
                float* x = self->Locate(i, out int count);
                float max = MixtureMath.Max(x, count);
                sums[i] = new ExponentialSum { Max = max, Sum = MixtureMath.SumExp(x, count, max) };
            }
        }

        worker->Meet();
        while (worker->Take((long)self->Rows * parts, out long from, out long to))
        {
            for (long i = from; i < to; i++)
            {
                ExponentialSum total = ExponentialSum.Empty;
                for (int part = 0; part < parts; part++)
                {
                    total.Merge(sums[i / parts * parts + part]);
                }

                float* x = self->Locate(i, out int count);
                Normalise(x, count, total.Max, (float)total.Sum);
            }
        }
    }

    private readonly float* Locate(long i, out int count)
    {
        int column = (int)(i % Parts) * Part;
        count = Math.Min(Part, Columns - column);
        return X + i / Parts * XStride + column;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Normalise(float* x, int count, float max, float sum)
    {
        Vector256<float> center = Vector256.Create(max), divisor = Vector256.Create(sum);
        for (int i = 0; i < count; i += Lanes.Count)
        {
            Lanes.Store(VectorMath.Exp(Lanes.Load(x + i, count - i) - center) / divisor, x + i, count - i);
        }
    }
}

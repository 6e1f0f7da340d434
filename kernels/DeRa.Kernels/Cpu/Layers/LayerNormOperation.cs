using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>y = (x − mean(x)) / √(var(x) + ε) · gain + bias; the variance from the centred row, so large means cost no digits. Workers take rows.</summary>
internal unsafe struct LayerNormOperation : IRowOperation<LayerNormOperation>
{
    public float* X;
    public int XStride;
    public int Rows;
    public int Columns;
    public WeightVector Gain;
    public WeightVector Bias;
    public float Epsilon;
    public float* Y;
    public int YStride;

    public static void Run(LayerNormOperation* self, Worker* worker)
    {
        while (worker->Take(self->Rows, out long from, out long to))
        {
            RunRows(self, worker, (int)from, (int)to);
        }
    }

    public static int CountRows(LayerNormOperation* self) => self->Rows;

    public static int Describe(LayerNormOperation* self, Span<RowBlock> blocks)
    {
        blocks[0] = new RowBlock(self->X, self->XStride, self->Columns);
        blocks[1] = new RowBlock(self->Y, self->YStride, self->Columns);
        return 2;
    }

    public static void RunRows(LayerNormOperation* self, Worker* worker, int from, int to)
    {
        for (long row = from; row < to; row++)
        {
            self->Row(self->X + row * self->XStride, self->Y + row * self->YStride);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Row(float* x, float* y)
    {
        float mean = RowSums.Values(x, Columns) / Columns;
        float scale = 1f / MathF.Sqrt(RowSums.Squares(x, Columns, mean) / Columns + Epsilon);
        Vector256<float> center = Vector256.Create(mean);
        for (int i = 0; i < Columns; i += Lanes.Count)
        {
            int left = Columns - i;
            Vector256<float> value = (Lanes.Load(x + i, left) - center) * scale * Gain.Load(i, left);
            if (Bias.IsPresent)
            {
                value += Bias.Load(i, left);
            }

            Lanes.Store(value, y + i, left);
        }
    }
}

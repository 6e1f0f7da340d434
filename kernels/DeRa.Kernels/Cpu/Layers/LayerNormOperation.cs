using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>y = (x − mean(x)) / √(var(x) + ε) · gain + bias; the variance from the centred row, so large means cost no digits. Workers take rows.</summary>
internal unsafe struct LayerNormOperation : IOperation<LayerNormOperation>
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(LayerNormOperation* self, Worker* worker)
    {
        worker->Share(self->Rows, out long from, out long to);
        int columns = self->Columns;
        for (long row = from; row < to; row++)
        {
            float* x = self->X + row * self->XStride, y = self->Y + row * self->YStride;
            float mean = RowSums.Values(x, columns) / columns;
            float scale = 1f / MathF.Sqrt(RowSums.Squares(x, columns, mean) / columns + self->Epsilon);
            Vector256<float> center = Vector256.Create(mean);
            for (int i = 0; i < columns; i += Lanes.Count)
            {
                int left = columns - i;
                Vector256<float> value = (Lanes.Load(x + i, left) - center) * scale * self->Gain.Load(i, left);
                if (self->Bias.IsPresent)
                {
                    value += self->Bias.Load(i, left);
                }

                Lanes.Store(value, y + i, left);
            }
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>output[t] = scale · table[tokens[t]] (+ positionTable[positions[t]]). Workers take tokens.</summary>
internal unsafe struct EmbedOperation : IOperation<EmbedOperation>
{
    public int* Tokens;
    public int Count;
    public WeightVector Table;
    public float Scale;
    public int* Positions;
    public WeightVector PositionTable;
    public int Hidden;
    public float* Output;
    public int OutputStride;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(EmbedOperation* self, Worker* worker)
    {
        worker->Share(self->Count, out long from, out long to);
        for (long t = from; t < to; t++)
        {
            WeightVector entry = self->Table.Row(self->Tokens[t], self->Hidden);
            WeightVector position = self->PositionTable.IsPresent ? self->PositionTable.Row(self->Positions[t], self->Hidden) : default;
            float* output = self->Output + t * self->OutputStride;
            for (int i = 0; i < self->Hidden; i += Lanes.Count)
            {
                int left = self->Hidden - i;
                Vector256<float> value = entry.Load(i, left) * self->Scale;
                if (position.IsPresent)
                {
                    value += position.Load(i, left);
                }

                Lanes.Store(value, output + i, left);
            }
        }
    }
}

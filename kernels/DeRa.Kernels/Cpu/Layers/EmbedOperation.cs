using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>output[t] = scale · table[tokens[t]] (+ positionTable[positions[t]]). Workers take tokens.</summary>
internal unsafe struct EmbedOperation : IRowOperation<EmbedOperation>
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

    public static void Run(EmbedOperation* self, Worker* worker)
    {
        while (worker->Take(self->Count, out long from, out long to))
        {
            RunRows(self, worker, (int)from, (int)to);
        }
    }

    public static int CountRows(EmbedOperation* self) => self->Count;

    public static int Describe(EmbedOperation* self, Span<RowBlock> blocks)
    {
        blocks[0] = new RowBlock(self->Output, self->OutputStride, self->Hidden);
        return 1;
    }

    public static void RunRows(EmbedOperation* self, Worker* worker, int from, int to)
    {
        for (long token = from; token < to; token++)
        {
            self->Row(token);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Row(long token)
    {
        WeightVector entry = Table.Row(Tokens[token], Hidden);
        WeightVector position = PositionTable.IsPresent ? PositionTable.Row(Positions[token], Hidden) : default;
        float* output = Output + token * OutputStride;
        for (int i = 0; i < Hidden; i += Lanes.Count)
        {
            int left = Hidden - i;
            Vector256<float> value = entry.Load(i, left) * Scale;
            if (position.IsPresent)
            {
                value += position.Load(i, left);
            }

            Lanes.Store(value, output + i, left);
        }
    }
}

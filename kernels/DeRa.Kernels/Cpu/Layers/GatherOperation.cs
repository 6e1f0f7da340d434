namespace DeRa.Kernels.Cpu;

/// <summary>y[i] = x[rows[i]]. Workers take rows.</summary>
internal unsafe struct GatherOperation : IOperation<GatherOperation>
{
    public float* X;
    public int XStride;
    public int* Rows;
    public int Count;
    public int Columns;
    public float* Y;
    public int YStride;

    public static void Run(GatherOperation* self, Worker* worker)
    {
        long bytes = (long)self->Columns * sizeof(float);
        while (worker->Take(self->Count, out long from, out long to))
        {
            for (long i = from; i < to; i++)
            {
                Buffer.MemoryCopy(self->X + (long)self->Rows[i] * self->XStride, self->Y + i * self->YStride, bytes, bytes);
            }
        }
    }
}

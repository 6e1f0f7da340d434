namespace DeRa.Kernels.Cpu;

/// <summary>z[r] = (1 − λ_r)·reference[r] + λ_r·aligned[r] over stored logits. Workers take strips.</summary>
internal unsafe struct InterpolateOperation : IOperation<InterpolateOperation>
{
    public float* Reference;
    public int ReferenceStride;
    public float* Aligned;
    public int AlignedStride;
    public HeadRow* Rows;
    public float* Z;
    public int ZStride;
    public int Count;
    public int Columns;

    public static void Run(InterpolateOperation* self, Worker* worker)
    {
        var strips = new Strips(self->Count, self->Columns);
        while (worker->Take(strips.Count, out long from, out long to))
        {
            for (long strip = from; strip < to; strip++)
            {
                strips.Locate(strip, out long row, out int column, out int count);
                MixtureMath.Mix(
                    self->Reference + row * self->ReferenceStride + column, self->Aligned + row * self->AlignedStride + column,
                    self->Rows[row].Lambda, self->Z + row * self->ZStride + column, count);
            }
        }
    }
}

using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// Adjusts, cuts and draws from stored logits: the unfused baseline. Scores go to scratch memory; thresholds are searched over the whole row. One
/// group per row.
/// </summary>
internal static class SampleKernel<TForm>
    where TForm : struct, IGroupForm
{
    public static void Run(SampleArgs args)
    {
        HeadMemory memory = HeadMemory.Allocate<CooperativeProjector<Float32Format>>();
        int index = Grid.IdxX, columns = args.Z.Columns;
        HeadRow row = args.Rows[index];
        long z = args.Z.Row(index), scores = (long)index * columns;
        for (int i = Group.IdxX; i < columns; i += Group.DimX)
        {
            args.Tokens[scores + i] = i;
        }

        StoredSums sums = StoredScores<TForm>.Fill(args.Z.Data, z, row, args.Adjustments, args.Scores, scores, columns, memory);
        int token = Draws.Among<TForm>(args.Scores, args.Tokens, scores, columns, sums.Least, row, memory);
        if (Group.IdxX == 0)
        {
            int known = token >= 0 && token < columns ? token : 0; // no logit compares when all are NaN
            HeadResult result = args.Results[index];
            result.Token = known;
            result.LogProb = args.Z.Data[z + known] - sums.Plain.LogSum();
            args.Results[index] = result;
        }
    }
}

/// <summary>Arguments of <see cref="SampleKernel{TForm}"/>.</summary>
internal struct SampleArgs
{
    public MatrixView Z;
    public ArrayView<HeadRow> Rows;
    public ArrayView<TokenAdjustment> Adjustments;
    public ArrayView<HeadResult> Results;

    /// <summary>[rows, vocab] s.</summary>
    public ArrayView<float> Scores;

    /// <summary>[rows, vocab] token ids.</summary>
    public ArrayView<int> Tokens;
}

public partial class PortableKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueSampleLogits(Matrix z, DeviceBuffer rows, DeviceBuffer adjustments, DeviceBuffer results) =>
        LaunchInOrder(form == KernelForm.Serial ? SampleKernel<SerialForm>.Run : SampleKernel<CooperativeForm>.Run, z.Rows, new SampleArgs
        {
            Z = View(z),
            Rows = Own(rows).As<HeadRow>(),
            Adjustments = Own(adjustments).As<TokenAdjustment>(),
            Results = Own(results).As<HeadResult>(),
            Scores = Scratch("sample scores", (long)z.Rows * z.Columns * sizeof(float)).As<float>(),
            Tokens = Scratch("sample tokens", (long)z.Rows * z.Columns * sizeof(int)).As<int>(),
        });
}

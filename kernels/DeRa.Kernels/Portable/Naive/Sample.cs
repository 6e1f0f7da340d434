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
        HeadMemory memory = HeadMemory.Allocate();
        int index = Grid.IdxX, columns = args.Z.Columns;
        HeadRow row = args.Rows[index];
        long z = args.Z.Row(index), scores = (long)index * columns;
        RunningMoment plain = RunningMoment.Empty(), adjusted = RunningMoment.Empty();
        int end = row.AdjustmentStart + row.AdjustmentCount;
        for (int i = Group.IdxX; i < columns; i += Group.DimX)
        {
            float logit = args.Z.Data[z + i], score = logit;
            int at = Adjustment.First(args.Adjustments, row.AdjustmentStart, end, i);
            if (at < end && args.Adjustments[at].TokenId == i)
            {
                score = Adjustment.Apply(args.Adjustments[at], row, logit);
            }

            score = row.Temperature == 0f ? score : score / row.Temperature;
            args.Scores[scores + i] = score;
            args.Tokens[scores + i] = i;
            plain = RunningMoment.Add(plain, logit, 0f);
            adjusted = RunningMoment.Add(adjusted, score, 0f);
        }

        plain = Merged(memory, plain);
        adjusted = Merged(memory, adjusted);
        uint least = 0;
        if (Cut.IsNeeded(row, columns) && adjusted.Sum > 0)
        {
            least = Cut.Threshold<TForm>(
                args.Scores, scores, columns, float.NegativeInfinity, adjusted, row, columns, memory.Values).Least;
        }

        int token = Draws.Among<TForm>(args.Scores, args.Tokens, scores, columns, least, row, memory);
        if (Group.IdxX == 0)
        {
            int known = token >= 0 && token < columns ? token : 0; // no logit compares when all are NaN
            HeadResult result = args.Results[index];
            result.Token = known;
            result.LogProb = args.Z.Data[z + known] - plain.LogSum();
            args.Results[index] = result;
        }
    }

    // The work-items' sums in their order.
    private static RunningMoment Merged(HeadMemory memory, RunningMoment share)
    {
        TForm.Barrier();
        memory.Folds[Group.IdxX] = new TileFold { Mixture = share };
        TForm.Barrier();
        RunningMoment all = memory.Folds[0].Mixture;
        for (int i = 1; i < Group.DimX; i++)
        {
            all = RunningMoment.Merge(all, memory.Folds[i].Mixture);
        }

        TForm.Barrier();
        return all;
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

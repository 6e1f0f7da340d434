namespace DeRa.Kernels.Cpu;

public sealed unsafe partial class CpuKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueRealignHead(
        HeadModel? reference, HeadModel? aligned, int vocabulary, DeviceBuffer rows, DeviceBuffer adjustments, bool statistics,
        DeviceBuffer results, DeviceBuffer? topTokens)
    {
        bool shares = SharesOutput(reference, aligned);
        var operation = new RealignHeadOperation
        {
            Reference = Side(reference),
            Aligned = Side(aligned),
            Vocabulary = vocabulary,
            Rows = (HeadRow*)Address(rows),
            Count = (aligned ?? reference)!.Hidden.Rows,
            Entries = (TokenAdjustment*)Address(adjustments),
            Statistics = statistics,
            Results = (HeadResult*)Address(results),
            Top = topTokens is null ? null : (TopToken*)Address(topTokens),
            SharesOutput = shares,
            MixesHidden = shares && !statistics && reference!.SoftCap is null && aligned!.SoftCap is null && reference.Bias == aligned.Bias,
        };
        recorder.Add(operation, operation.SharedBytes, operation.PrivateBytes);
    }

    /// <inheritdoc />
    protected override void EnqueueRealignScore(
        HeadModel reference, HeadModel aligned, int vocabulary, IntVector targets, DeviceBuffer lambdas, int lambdaCount,
        DeviceBuffer statistics, DeviceBuffer targetLogits)
    {
        var operation = new RealignScoreOperation
        {
            Reference = Side(reference),
            Aligned = Side(aligned),
            SharesOutput = SharesOutput(reference, aligned),
            Vocabulary = vocabulary,
            Count = targets.Length,
            Targets = Pointer(targets),
            Lambdas = Floats(lambdas),
            LambdaCount = lambdaCount,
            Statistics = (ScoreStatistic*)Address(statistics),
            Logits = (TargetLogits*)Address(targetLogits),
        };
        recorder.Add(operation, operation.SharedBytes, RealignScoreOperation.PrivateBytes);
    }

    /// <inheritdoc />
    protected override void EnqueueInterpolate(Matrix reference, Matrix aligned, DeviceBuffer rows, Matrix z) =>
        recorder.Add(new InterpolateOperation
        {
            Reference = Pointer(reference),
            ReferenceStride = reference.RowStride,
            Aligned = Pointer(aligned),
            AlignedStride = aligned.RowStride,
            Rows = (HeadRow*)Address(rows),
            Z = Pointer(z),
            ZStride = z.RowStride,
            Count = z.Rows,
            Columns = z.Columns,
        });

    /// <inheritdoc />
    protected override void EnqueueSoftmax(Matrix x)
    {
        var operation = new SoftmaxOperation { X = Pointer(x), XStride = x.RowStride, Rows = x.Rows, Columns = x.Columns };
        recorder.Add(operation, operation.SharedBytes);
    }

    /// <inheritdoc />
    protected override void EnqueueSampleLogits(Matrix z, DeviceBuffer rows, DeviceBuffer adjustments, DeviceBuffer results)
    {
        var operation = new SampleLogitsOperation
        {
            Z = Pointer(z),
            ZStride = z.RowStride,
            Count = z.Rows,
            Vocabulary = z.Columns,
            Rows = (HeadRow*)Address(rows),
            Entries = (TokenAdjustment*)Address(adjustments),
            Results = (HeadResult*)Address(results),
        };
        recorder.Add(operation, 0, operation.PrivateBytes);
    }

    /// <inheritdoc />
    protected override void EnqueueVerifyDrafts(
        Matrix z, Matrix draftLogits, IntVector drafts, DeviceBuffer rows, DeviceBuffer adjustments, DeviceBuffer results)
    {
        var operation = new VerifyDraftsOperation
        {
            Z = Pointer(z),
            ZStride = z.RowStride,
            DraftZ = Pointer(draftLogits),
            DraftZStride = draftLogits.RowStride,
            Drafts = Pointer(drafts),
            Count = z.Rows,
            Vocabulary = z.Columns,
            Rows = (HeadRow*)Address(rows),
            Entries = (TokenAdjustment*)Address(adjustments),
            Results = (HeadResult*)Address(results),
        };
        recorder.Add(operation, 0, operation.PrivateBytes);
    }

    // Padding rows past the vocabulary may differ in number: the memory decides.
    private static bool SharesOutput(HeadModel? reference, HeadModel? aligned) =>
        reference is { Output: var r } && aligned is { Output: var a }
        && r.Buffer == a.Buffer && r.ByteOffset == a.ByteOffset && r.DType == a.DType && r.Columns == a.Columns;

    private HeadSide Side(HeadModel? model) => model is null
        ? default
        : HeadSide.Create(
            Pointer(model.Hidden), model.Hidden.RowStride, model.Output.Columns, Address(model.Output.Buffer) + model.Output.ByteOffset,
            model.Output.DType, Vector(model.Bias), model.SoftCap);
}

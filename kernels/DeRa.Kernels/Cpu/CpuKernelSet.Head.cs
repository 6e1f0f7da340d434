namespace DeRa.Kernels.Cpu;

public sealed unsafe partial class CpuKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueRealignHead(
        HeadModel? reference, HeadModel? aligned, int vocabulary, DeviceBuffer rows, DeviceBuffer adjustments, bool statistics,
        DeviceBuffer results, DeviceBuffer? topTokens) => throw new NotSupportedException();

    /// <inheritdoc />
    protected override void EnqueueRealignScore(
        HeadModel reference, HeadModel aligned, int vocabulary, IntVector targets, DeviceBuffer lambdas, int lambdaCount,
        DeviceBuffer statistics, DeviceBuffer targetLogits) => throw new NotSupportedException();

    /// <inheritdoc />
    protected override void EnqueueInterpolate(Matrix reference, Matrix aligned, DeviceBuffer rows, Matrix z) => throw new NotSupportedException();

    /// <inheritdoc />
    protected override void EnqueueSoftmax(Matrix x) => throw new NotSupportedException();

    /// <inheritdoc />
    protected override void EnqueueSampleLogits(Matrix z, DeviceBuffer rows, DeviceBuffer adjustments, DeviceBuffer results) =>
        throw new NotSupportedException();
}

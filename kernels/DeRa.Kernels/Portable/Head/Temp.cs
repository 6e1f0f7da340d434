#pragma warning disable
namespace DeRa.Kernels.Portable;
public partial class PortableKernelSet
{
    private void SettleBeforeOverwriting() {}
    private void SettlePendingHeads() {}
    protected override void EnqueueRealignHead(HeadModel? reference, HeadModel? aligned, int vocabulary, DeviceBuffer rows, DeviceBuffer adjustments, bool statistics, DeviceBuffer results, DeviceBuffer? topTokens) => throw new DeviceException("the portable set has no head yet");
    protected override void EnqueueRealignScore(HeadModel reference, HeadModel aligned, int vocabulary, IntVector targets, DeviceBuffer lambdas, int lambdaCount, DeviceBuffer statistics, DeviceBuffer targetLogits) => throw new DeviceException("the portable set has no head yet");
    protected override void EnqueueInterpolate(Matrix reference, Matrix aligned, DeviceBuffer rows, Matrix z) => throw new DeviceException("the portable set has no head yet");
    protected override void EnqueueSoftmax(Matrix x) => throw new DeviceException("the portable set has no head yet");
    protected override void EnqueueSampleLogits(Matrix z, DeviceBuffer rows, DeviceBuffer adjustments, DeviceBuffer results) => throw new DeviceException("the portable set has no head yet");
}

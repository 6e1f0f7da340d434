using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Cuda;

public sealed partial class CudaKernelSet
{
    // A step writes some tens of kilobytes: token ids, block tables, rotations, rows of the head. Larger writes gain nothing by not waiting.
    private const int LargestStaged = 256 << 10, StagedBytes = 4 * LargestStaged;

    private StagedWrites? staged;
    private bool stagesNothing;

    /// <inheritdoc />
    protected override void WriteBytes(DeviceBuffer target, long byteOffset, ReadOnlySpan<byte> data)
    {
        launcher.RequireNoRecording("write memory");
        if (data.Length <= LargestStaged && Staged() is { } staging)
        {
            staging.Write(data, Own(target).Bytes.SubView(byteOffset, data.Length));
        }
        else
        {
            base.WriteBytes(target, byteOffset, data);
        }
    }

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            staged?.Dispose();
        }

        base.Dispose(disposing);
    }

    // Null in emulation, and where the driver refuses, which is said once.
    private StagedWrites? Staged()
    {
        if (staged is null && !stagesNothing)
        {
            stagesNothing = true;
            if (launcher.Accelerator is CudaAccelerator accelerator)
            {
                try
                {
                    staged = new StagedWrites(accelerator, launcher, StagedBytes);
                    stagesNothing = false;
                }
                catch (Exception e) when (e is AcceleratorException or NotSupportedException or OutOfMemoryException)
                {
                    log?.Invoke($"device {Device.Id}: every write of a step is waited for; no pages could be locked: {e.Message}");
                }
            }
        }

        return staged;
    }
}

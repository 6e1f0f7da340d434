using DeRa.Kernels.Portable;
using ILGPU.Runtime;

namespace DeRa.Kernels.Cuda;

public sealed partial class CudaKernelSet
{
    private PinnedUpload? upload;
    private bool locksNoPages;

    /// <inheritdoc />
    public override unsafe DeviceBuffer LoadWeights(nint hostAddress, long byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        if (LockPages() is not { } pinned)
        {
            return base.LoadWeights(hostAddress, byteLength);
        }

        PortableBuffer buffer = AllocateBytes(byteLength, awaits: false); // the copy before is still on its way
        pinned.Copy((byte*)hostAddress, byteLength, buffer.Bytes);
        return buffer;
    }

    /// <inheritdoc />
    public override void EndLoading()
    {
        if (upload is not null)
        {
            launcher.Synchronize();
            upload.Dispose();
            upload = null;
        }
    }

    // Null where the driver refuses, which is said once: then copies go through pageable memory.
    private PinnedUpload? LockPages()
    {
        if (upload is null && accelerator is not null && !locksNoPages)
        {
            try
            {
                upload = new PinnedUpload(accelerator, launcher);
            }
            catch (Exception e) when (e is AcceleratorException or NotSupportedException or OutOfMemoryException)
            {
                locksNoPages = true;
                log?.Invoke($"{Device.Id}: weights are loaded through pageable memory, which is slower; no pages could be locked: {e.Message}");
            }
        }

        return upload;
    }
}

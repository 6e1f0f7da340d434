using System.Runtime.InteropServices;
using DeRa.Kernels.Portable;
using ILGPU;
using ILGPU.Runtime;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// Writes of a step's inputs that the host does not wait for: they go through page-locked memory, from which the device fetches them in the order of the
/// stream. Room is given out from the start to the end; then what is on its way is awaited, and the start is free again.
/// </summary>
/// <param name="accelerator">The device.</param>
/// <param name="launcher">Has its stream.</param>
/// <param name="capacity">Bytes of page-locked memory.</param>
/// <exception cref="AcceleratorException">The driver does not lock the memory.</exception>
/// <exception cref="NotSupportedException">The device does not map host memory.</exception>
internal sealed class StagedWrites(Accelerator accelerator, KernelLauncher launcher, int capacity) : IDisposable
{
    private readonly PageLockedArray1D<byte> memory = accelerator.AllocatePageLocked1D<byte>(capacity);
    private int used;

    /// <summary>Enqueues a write of at most the capacity. The data may change when this returns.</summary>
    public void Write(ReadOnlySpan<byte> data, ArrayView<byte> target)
    {
        if (data.Length > capacity - used)
        {
            launcher.Synchronize();
            used = 0;
        }

        Span<byte> staged = memory.Span.Slice(used, data.Length);
        data.CopyTo(staged);
        target.CopyFromCPU(launcher.Stream, ref MemoryMarshal.GetReference(staged), data.Length);
        used += data.Length;
    }

    /// <inheritdoc />
    public void Dispose() => memory.Dispose();
}

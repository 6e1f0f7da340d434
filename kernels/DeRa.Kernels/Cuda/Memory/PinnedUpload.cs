using System.Runtime.InteropServices;
using DeRa.Kernels.Portable;
using ILGPU;
using ILGPU.Runtime;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// Copies host memory to the device through two page-locked buffers: the device fetches one while the other is filled. A driver does the same with pageable
/// memory, but in buffers of its own, filled by one thread, and no faster than that.
/// </summary>
/// <remarks>
/// Everything is on the stream of the kernels, so what follows a copy there finds it done. Of the two buffers at most one is being fetched: before a copy is
/// enqueued the one before it is awaited, and by then it has had the time that filling took.
/// </remarks>
internal sealed unsafe class PinnedUpload : IDisposable
{
    /// <summary>
    /// 16 MiB: some 0.7 ms of a PCIe 4.0 × 16 link, beside which the few microseconds of enqueueing and awaiting a copy do not count; and two are little to keep
    /// from the system.
    /// </summary>
    public const int DefaultChunk = 16 << 20;

    /// <summary>A link of 25 to 60 GB/s takes more than a thread copies, so several fill a buffer, in parts of 1 MiB.</summary>
    private const int Part = 1 << 20;

    private readonly KernelLauncher launcher;
    private readonly int chunk;
    private readonly PageLockedArray1D<byte>[] buffers = new PageLockedArray1D<byte>[2];
    private int next;

    /// <summary>Takes the buffers.</summary>
    /// <param name="accelerator">The device.</param>
    /// <param name="launcher">Has its stream.</param>
    /// <param name="chunk">Bytes of a buffer.</param>
    /// <exception cref="AcceleratorException">The driver does not lock the memory.</exception>
    /// <exception cref="NotSupportedException">The device does not map host memory.</exception>
    public PinnedUpload(Accelerator accelerator, KernelLauncher launcher, int chunk = DefaultChunk)
    {
        (this.launcher, this.chunk) = (launcher, chunk);
        try
        {
            for (int i = 0; i < buffers.Length; i++)
            {
                buffers[i] = accelerator.AllocatePageLocked1D<byte>(chunk);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Enqueues a copy. The source may change or go away when this returns.</summary>
    public void Copy(byte* source, long byteLength, ArrayView<byte> target)
    {
        for (long offset = 0; offset < byteLength; offset += chunk)
        {
            int count = (int)Math.Min(chunk, byteLength - offset);
            ref byte buffer = ref MemoryMarshal.GetReference(buffers[next].Span);
            fixed (byte* filled = &buffer)
            {
                Fill(filled, source + offset, count);
            }

            launcher.Synchronize(); // the copy from the other buffer
            target.SubView(offset, count).CopyFromCPU(launcher.Stream, ref buffer, count);
            next ^= 1;
        }
    }

    /// <summary>Gives the buffers back. The last copy has to be over.</summary>
    public void Dispose()
    {
        foreach (PageLockedArray1D<byte>? buffer in buffers)
        {
            buffer?.Dispose();
        }
    }

    private static void Fill(byte* target, byte* source, int count)
    {
        int parts = (count + Part - 1) / Part;
        if (parts == 1)
        {
            Buffer.MemoryCopy(source, target, count, count);
            return;
        }

        Parallel.For(0, parts, part =>
        {
            long from = (long)part * Part, length = Math.Min(Part, count - from);
            Buffer.MemoryCopy(source + from, target + from, length, length);
        });
    }
}

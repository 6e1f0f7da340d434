using System.Numerics;
using DeRa.Kernels;

namespace DeRa.Engine.Execution;

/// <summary>Device memory for what a step uploads or reads back; it grows by doubling and is kept from step to step.</summary>
internal sealed class GrowingBuffer(KernelSet kernels) : IDisposable
{
    private const long Smallest = 4096;

    private DeviceBuffer? buffer;

    /// <summary>The memory; reserve or write first.</summary>
    public DeviceBuffer Buffer => buffer ?? throw new InvalidOperationException("nothing has been reserved");

    /// <summary>Makes room for <paramref name="count"/> elements; what was there may be lost.</summary>
    public unsafe void Reserve<T>(int count)
        where T : unmanaged
    {
        long needed = Math.Max(Smallest, (long)count * sizeof(T));
        if (buffer is not null && buffer.ByteLength >= needed)
        {
            return;
        }

        buffer?.Dispose();
        buffer = null;
        buffer = kernels.Allocate((long)BitOperations.RoundUpToPowerOf2((ulong)needed));
    }

    /// <summary>Copies elements to the start of the memory. Not while operations are enqueued.</summary>
    public void Write<T>(ReadOnlySpan<T> data)
        where T : unmanaged
    {
        Reserve<T>(data.Length);
        kernels.Write(Buffer, 0, data);
    }

    /// <summary>Copies elements from the start of the memory, after the step has run.</summary>
    public void Read<T>(Span<T> data)
        where T : unmanaged => kernels.Read(Buffer, 0, data);

    public void Dispose() => buffer?.Dispose();
}

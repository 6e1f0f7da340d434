using System.Runtime.InteropServices;

namespace DeRa.Kernels.Cpu;

/// <summary>Scratch memory that grows to the largest size asked for and is aligned to 256 bytes.</summary>
internal sealed unsafe class NativeBlock : IDisposable
{
    /// <summary>Its size.</summary>
    public long ByteLength { get; private set; }

    /// <summary>First byte; changes when the block grows.</summary>
    public byte* Address { get; private set; }

    /// <summary>Makes room for <paramref name="bytes"/>; the content is lost when that takes new memory.</summary>
    public void Ensure(long bytes)
    {
        if (bytes <= ByteLength)
        {
            return;
        }

        NativeMemory.AlignedFree(Address);
        ByteLength = 0;
        Address = null;
        long rounded = (bytes + bytes / 4 + 255) & ~255L; // a little more, so that slowly growing steps do not allocate each time
        Address = (byte*)NativeMemory.AlignedAlloc((nuint)rounded, 256);
        ByteLength = rounded;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        NativeMemory.AlignedFree(Address);
        Address = null;
        ByteLength = 0;
    }
}

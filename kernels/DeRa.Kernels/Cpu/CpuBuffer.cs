using System.Runtime.InteropServices;

namespace DeRa.Kernels.Cpu;

/// <summary>Native memory of the set, or host memory that somebody else keeps alive.</summary>
internal sealed unsafe class CpuBuffer : DeviceBuffer
{
    private readonly CpuKernelSet owner;
    private void* allocation;

    private CpuBuffer(CpuKernelSet owner, void* allocation, byte* address, long byteLength)
        : base(byteLength)
    {
        this.owner = owner;
        this.allocation = allocation;
        Address = address;
    }

    /// <summary>First byte.</summary>
    public byte* Address { get; private set; }

    /// <summary>
    /// Zeroed memory aligned to 256 bytes. It comes from calloc, whose large blocks are untouched pages: a key-value pool costs what is used of it.
    /// </summary>
    public static CpuBuffer Allocate(CpuKernelSet owner, long byteLength)
    {
        void* allocation = NativeMemory.AllocZeroed((nuint)byteLength + 256);
        return new CpuBuffer(owner, allocation, (byte*)(((nint)allocation + 255) & ~255), byteLength);
    }

    /// <summary>Memory of somebody else, not copied and not freed.</summary>
    public static CpuBuffer Wrap(CpuKernelSet owner, nint address, long byteLength) => new(owner, null, (byte*)address, byteLength);

    /// <summary>The address of a buffer of <paramref name="set"/>.</summary>
    public static byte* AddressOf(DeviceBuffer buffer, CpuKernelSet set)
    {
        if (buffer is not CpuBuffer mine || mine.owner != set)
        {
            throw new ArgumentException($"a {buffer.GetType().Name} of another kernel set cannot be used on this one");
        }

        ObjectDisposedException.ThrowIf(mine.Address == null, mine);
        return mine.Address;
    }

    protected override void Dispose(bool disposing)
    {
        if (allocation != null)
        {
            NativeMemory.Free(allocation);
            allocation = null;
            owner.Freed(ByteLength);
        }

        Address = null;
    }
}

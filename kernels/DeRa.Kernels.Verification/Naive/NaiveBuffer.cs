using System.Runtime.InteropServices;

namespace DeRa.Kernels.Verification;

/// <summary>Zero-filled native memory, or a view of the caller's.</summary>
internal sealed unsafe class NaiveBuffer : DeviceBuffer
{
    private readonly bool owned;

    public NaiveBuffer(long byteLength)
        : base(byteLength)
    {
        Address = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(byteLength, 1), 256);
        NativeMemory.Clear(Address, (nuint)byteLength);
        owned = true;
    }

    public NaiveBuffer(nint address, long byteLength)
        : base(byteLength) => Address = (byte*)address;

    public byte* Address { get; private set; }

    protected override void Dispose(bool disposing)
    {
        if (owned)
        {
            NativeMemory.AlignedFree(Address);
        }

        Address = null;
    }
}

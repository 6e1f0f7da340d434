using ILGPU;
using ILGPU.Runtime;

namespace DeRa.Kernels.Portable;

/// <summary>Device memory of a <see cref="PortableKernelSet"/>.</summary>
internal sealed class PortableBuffer(PortableKernelSet owner, MemoryBuffer1D<byte, Stride1D.Dense> memory, long byteLength)
    : DeviceBuffer(byteLength)
{
    /// <summary>The set whose device holds the memory.</summary>
    public PortableKernelSet Owner { get; } = owner;

    /// <summary>All bytes; kernels take base views plus an offset because ILGPU assumes that a view argument is aligned.</summary>
    public ArrayView<byte> Bytes => memory.View.BaseView;

    /// <summary>The whole elements of the buffer.</summary>
    public ArrayView<T> As<T>()
        where T : unmanaged => memory.View.Cast<byte, T>().BaseView;

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Owner.OnFreeing();
            memory.Dispose();
        }
    }
}

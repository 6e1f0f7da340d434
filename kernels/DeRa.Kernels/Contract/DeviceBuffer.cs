namespace DeRa.Kernels;

/// <summary>
/// Memory that belongs to one <see cref="KernelSet"/>: native memory or a read-only file mapping on the Cpu set, device memory elsewhere.
/// Only the set that made it can use it.
/// </summary>
public abstract class DeviceBuffer(long byteLength) : IDisposable
{
    /// <summary>Size in bytes.</summary>
    public long ByteLength { get; } = byteLength;

    /// <inheritdoc />
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory; a wrapped file mapping is left to its owner.</summary>
    protected abstract void Dispose(bool disposing);
}

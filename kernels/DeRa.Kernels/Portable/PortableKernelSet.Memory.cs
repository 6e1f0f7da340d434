using System.Runtime.CompilerServices;
using ILGPU;
using ILGPU.Runtime;

namespace DeRa.Kernels.Portable;

public partial class PortableKernelSet
{
    private const int Alignment = 256;

    // One host-to-device copy at a time: drivers stage pageable memory, and a mapped file is paged in as it is read.
    private const int CopyChunk = 64 << 20;

    private readonly Dictionary<string, PortableBuffer> scratch = [];
    private readonly PortableBuffer none;

    /// <summary>A little memory for views that nothing reads.</summary>
    private protected PortableBuffer None => none;

    /// <inheritdoc />
    public override DeviceBuffer Allocate(long byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        return AllocateBytes(byteLength);
    }

    /// <inheritdoc />
    public override unsafe DeviceBuffer LoadWeights(nint hostAddress, long byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        PortableBuffer buffer = AllocateBytes(byteLength);
        for (long offset = 0; offset < byteLength; offset += CopyChunk)
        {
            int count = (int)Math.Min(CopyChunk, byteLength - offset);
            WriteBytes(buffer, offset, new ReadOnlySpan<byte>((byte*)hostAddress + offset, count));
        }

        return buffer;
    }

    /// <inheritdoc />
    protected override unsafe void WriteBytes(DeviceBuffer target, long byteOffset, ReadOnlySpan<byte> data)
    {
        // Pinned until the copy is done: the driver may still read after the call that enqueues it returns.
        fixed (byte* pinned = data)
        {
            Own(target).Bytes.SubView(byteOffset, data.Length).CopyFromCPU(launcher.Stream, ref *pinned, data.Length);
            launcher.Synchronize();
        }
    }

    /// <inheritdoc />
    protected override unsafe void ReadBytes(DeviceBuffer source, long byteOffset, Span<byte> data)
    {
        // Pinned until the copy is done: it runs after the call that enqueues it, and a collection would move managed memory from under it.
        fixed (byte* pinned = data)
        {
            Own(source).Bytes.SubView(byteOffset, data.Length).CopyToCPU(launcher.Stream, ref *pinned, data.Length);
            launcher.Synchronize();
        }
    }

    /// <summary>Zero-filled memory.</summary>
    /// <param name="byteLength">Bytes of it.</param>
    /// <param name="awaits">Whether to wait for everything enqueued; what is enqueued later finds the zeros in any case.</param>
    private protected PortableBuffer AllocateBytes(long byteLength, bool awaits = true)
    {
        launcher.RequireNoRecording("allocate memory");
        // A whole number of 256 bytes: kernels read storage types in units of two bytes and records of up to 64.
        long size = Math.Max(Alignment, (byteLength + Alignment - 1) / Alignment * Alignment);
        try
        {
            MemoryBuffer1D<byte, Stride1D.Dense> memory = device.Accelerator.Allocate1D<byte>(size);
            memory.View.MemSetToZero(launcher.Stream);
            if (awaits)
            {
                launcher.Synchronize();
            }

            return new PortableBuffer(this, memory, byteLength);
        }
        catch (Exception e) when (e is AcceleratorException or OutOfMemoryException)
        {
            throw new DeviceException(
                $"{Device.Id} ({Device.Name}): {byteLength} bytes asked for, of {Device.MemoryBytes} in all: {e.Message}", e);
        }
    }

    /// <summary>Memory of this set is about to be freed: recordings may hold its address.</summary>
    internal virtual void OnFreeing()
    {
    }

    /// <inheritdoc />
    public override long ScratchEstimate(StepScratch steps)
    {
        ArgumentNullException.ThrowIfNull(steps);
        long cell = Unsafe.SizeOf<TileFold>() + sizeof(float) + (HeadArgs.Candidates * 2L * (sizeof(float) + sizeof(int))) + (2L * HeadArgs.Bins * sizeof(float));
        return steps.Rows == 0 ? 0 : MostPartialBytes + (steps.Rows * Tiles(steps.Vocabulary, HeadArgs.Tile) * cell);
    }

    /// <summary>Bytes that operations use beside their callers' buffers.</summary>
    internal long ScratchBytes => scratch.Values.Sum(buffer => buffer.ByteLength);

    /// <summary>Memory kept between calls, at least as long as asked for; its first use finds zeros.</summary>
    private protected PortableBuffer Scratch(string name, long byteLength)
    {
        if (scratch.TryGetValue(name, out PortableBuffer? kept))
        {
            if (kept.ByteLength >= byteLength)
            {
                return kept;
            }

            launcher.Synchronize(); // kernels on their way still use it
            kept.Dispose();
        }

        return scratch[name] = AllocateBytes(byteLength);
    }

    private protected PortableBuffer Own(DeviceBuffer buffer) => buffer is PortableBuffer own && own.Owner == this
        ? own
        : throw new ArgumentException($"the buffer belongs to another kernel set than {Device.Id}", nameof(buffer));

    private protected MatrixView View(Matrix matrix) => new()
    {
        Data = Own(matrix.Buffer).As<float>(),
        Offset = matrix.Offset,
        Rows = matrix.Rows,
        Columns = matrix.Columns,
        RowStride = matrix.RowStride,
    };

    private protected IntView View(IntVector vector) => new() { Data = Own(vector.Buffer).As<int>(), Offset = vector.Offset };

    private protected WeightView View(Weight? weight) => weight is { } w
        ? new() { Data = Own(w.Buffer).As<ushort>(), Offset = w.ByteOffset / w.DType.Size(), DType = (int)w.DType, IsPresent = 1, RowStride = w.RowStride }
        : new() { Data = none.As<ushort>() };

    private protected static long Tiles(long count, long tile) => (count + tile - 1) / tile;
}

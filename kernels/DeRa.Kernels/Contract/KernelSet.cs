using System.Runtime.InteropServices;

namespace DeRa.Kernels;

/// <summary>
/// The op contract: everything a forward pass, the realignment head and scoring need from a device. A model enqueues operations in order;
/// nothing is promised to have run before <see cref="Run"/> returns. One thread owns a set.
/// </summary>
/// <remarks>
/// Every operation computes in float32 and its result for a row does not depend on the other rows of the call (fixed reduction order), so a
/// request's bits do not change with the batch. Shapes are checked by the public methods here; sets override the Enqueue methods.
/// </remarks>
public abstract partial class KernelSet : IDisposable
{
    /// <summary>What the set runs on.</summary>
    public abstract DeviceDescription Device { get; }

    /// <summary>Launches issued to the device so far; a recorded step counts as one, recording it as none.</summary>
    public abstract long LaunchCount { get; }

    /// <summary>
    /// The type that activations are rounded to, nearest even, before they are multiplied by a weight: float32, unless the set projects this weight on
    /// hardware that takes operands of one 16-bit type. Sums are float32 in either case.
    /// </summary>
    public virtual DType ProjectionType(Weight weight) => DType.F32;

    /// <summary>
    /// Whether the set projects output-major weights of this type and number of inputs by better kernels than input-major ones: what copies an input-major
    /// weight to the device then transposes it on the way.
    /// </summary>
    public virtual bool PrefersOutputMajor(DType weights, int inputs) => false;

    /// <summary>
    /// Elements from a row to the next with which the set projects output-major matrices of this type and number of inputs best: what copies a matrix to the
    /// device leaves that much, with zeros behind each row (<see cref="Weight.RowPadding"/>). Dense ones are taken as well.
    /// </summary>
    public virtual int RowStride(DType weights, int inputs) => inputs;

    /// <summary>
    /// The type that keys and values are stored in for heads of this width beside weights of this type. Where it is a 16-bit type, queries and
    /// softmax weights are rounded to it as well, nearest even, before they are multiplied; sums are float32.
    /// </summary>
    public virtual DType CacheType(int headDim, DType weights) => DType.F32;

    /// <summary>Bytes of the device's memory that nothing holds yet, as far as its driver tells; else all of it.</summary>
    public virtual long FreeBytes => Device.MemoryBytes;

    /// <summary>
    /// About the bytes that operations of such steps keep beside their callers' buffers: what the head has of each row and tile of the vocabulary, and partial
    /// sums. Attention's over long contexts are not in it.
    /// </summary>
    public virtual long ScratchEstimate(StepScratch steps) => 0;

    /// <summary>What the set found out about its device as it computed, and chose by it: lines for people, none where nothing depends on it.</summary>
    public virtual IReadOnlyList<string> Findings => [];

    /// <summary>Zero-filled memory for activations, caches or integers, aligned to 256 bytes.</summary>
    /// <exception cref="DeviceException">The device cannot provide it; the message says how much was asked for and how much is free.</exception>
    public abstract DeviceBuffer Allocate(long byteLength);

    /// <summary>
    /// Makes weights usable: the Cpu set wraps the host memory without copying it (the caller keeps it mapped until the buffer is disposed of),
    /// other sets copy it to the device.
    /// </summary>
    /// <param name="hostAddress">First byte in host memory.</param>
    /// <param name="byteLength">Bytes to take.</param>
    public abstract DeviceBuffer LoadWeights(nint hostAddress, long byteLength);

    /// <summary>Gives back what <see cref="LoadWeights"/> keeps from one call to the next. To be called when weights have been loaded.</summary>
    public virtual void EndLoading()
    {
    }

    /// <summary>Copies host data into a buffer. Not while operations are enqueued.</summary>
    public void Write<T>(DeviceBuffer target, long byteOffset, ReadOnlySpan<T> data)
        where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(data);
        Guard.Range(target, byteOffset, bytes.Length, nameof(target));
        if (bytes.Length > 0)
        {
            WriteBytes(target, byteOffset, bytes);
        }
    }

    /// <summary>Copies from a buffer into host memory. Call <see cref="Run"/> first: enqueued operations have not run.</summary>
    public void Read<T>(DeviceBuffer source, long byteOffset, Span<T> data)
        where T : unmanaged
    {
        Span<byte> bytes = MemoryMarshal.AsBytes(data);
        Guard.Range(source, byteOffset, bytes.Length, nameof(source));
        if (bytes.Length > 0)
        {
            ReadBytes(source, byteOffset, bytes);
        }
    }

    /// <summary>
    /// Whether the set may record what <see cref="EnqueueRepeatable"/> is given, where it records at all; if not, it is enqueued every time. Results are
    /// the same.
    /// </summary>
    public bool CapturesSteps { get; set; } = true;

    /// <summary>
    /// Enqueues what <paramref name="enqueue"/> enqueues. A set may record it and, when an equal shape comes again, repeat the recording without the call.
    /// </summary>
    /// <param name="shape">
    /// A value with equality that stands for everything but the contents of buffers: equal shapes enqueue the same operations with the same arguments on
    /// the same buffers. Buffers are compared by reference, and disposing of any buffer of the set ends every recording.
    /// </param>
    /// <param name="enqueue">
    /// Enqueues operations and does nothing else: nothing is allocated, written, read or run in it. It may be called again if a recording was given up,
    /// in which case nothing of the first call runs.
    /// </param>
    public virtual void EnqueueRepeatable(object shape, Action enqueue)
    {
        ArgumentNullException.ThrowIfNull(enqueue);
        enqueue();
    }

    /// <summary>
    /// The longest context to lay a step out for: <paramref name="longest"/>, or more where a set repeats recordings, so that steps whose contexts differ
    /// little have one shape.
    /// </summary>
    public virtual int ContextClass(int longest) => longest;

    /// <summary>Runs everything enqueued since the last call, in order, and waits for it.</summary>
    public abstract void Run();

    /// <inheritdoc />
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Copies host bytes into a buffer; the range is already checked.</summary>
    protected abstract void WriteBytes(DeviceBuffer target, long byteOffset, ReadOnlySpan<byte> data);

    /// <summary>Copies bytes of a buffer to the host; the range is already checked.</summary>
    protected abstract void ReadBytes(DeviceBuffer source, long byteOffset, Span<byte> data);

    /// <summary>Frees what the set holds.</summary>
    protected abstract void Dispose(bool disposing);
}

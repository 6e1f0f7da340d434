using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// Plain processors, no driver: operations are recorded and <see cref="Run"/> hands the whole list to resident workers on ILGPU's CPU accelerator, with
/// SIMD bodies that share out each operation. Weights are read where they lie in host memory. Results do not depend on the number of workers.
/// </summary>
public sealed unsafe partial class CpuKernelSet : KernelSet
{
    private readonly Crew crew;
    private readonly StepRecorder recorder;
    private readonly NativeBlock shared = new(), scratch = new();
    private readonly int workers;
    private readonly long memoryLimit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
    private long launches, allocated;
    private bool disposed;

    /// <summary>Starts the workers.</summary>
    /// <param name="workers">How many; by default one for each processor that the process may use.</param>
    /// <exception cref="DeviceException">The accelerator could not be made.</exception>
    public CpuKernelSet(int? workers = null)
    {
        this.workers = workers ?? Environment.ProcessorCount;
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(this.workers, nameof(workers));
        recorder = new StepRecorder(this.workers);
        crew = new Crew(this.workers);
        Device = Describe(this.workers);
    }

    /// <inheritdoc />
    public override DeviceDescription Device { get; }

    /// <inheritdoc />
    public override long LaunchCount => launches;

    /// <inheritdoc />
    public override DeviceBuffer Allocate(long byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        long free = memoryLimit - allocated;
        if (byteLength > free)
        {
            throw new DeviceException($"out of memory: {byteLength} bytes were asked for and {free} of {memoryLimit} are left");
        }

        try
        {
            CpuBuffer buffer = CpuBuffer.Allocate(this, byteLength);
            allocated += byteLength;
            return buffer;
        }
        catch (OutOfMemoryException exception)
        {
            throw new DeviceException($"out of memory: the system refused {byteLength} bytes; {free} of {memoryLimit} should be left", exception);
        }
    }

    /// <inheritdoc />
    public override DeviceBuffer LoadWeights(nint hostAddress, long byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        return CpuBuffer.Wrap(this, hostAddress, byteLength);
    }

    /// <inheritdoc />
    /// <exception cref="InvalidOperationException">An operation failed; the rest of the step did not run.</exception>
    public override void Run()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        if (recorder.Count == 0)
        {
            return;
        }

        try
        {
            shared.Ensure(recorder.SharedBytes);
            long stride = (recorder.PrivateBytes + 255) & ~255L; // no cache line is shared by two workers
            scratch.Ensure(stride * workers);
            launches++;
            if (crew.RunStep(recorder.Operations, recorder.Count, shared.Address, scratch.Address, stride) is { } failure)
            {
                throw new InvalidOperationException($"an operation of the step failed: {failure.Message}", failure);
            }
        }
        finally
        {
            recorder.Clear();
        }
    }

    /// <inheritdoc />
    public override long ScratchEstimate(StepScratch steps)
    {
        ArgumentNullException.ThrowIfNull(steps);
        return steps.Rows * ((2L * steps.Vocabulary) + (24 << 10)); // a tile of 256 entries keeps 248 bytes and 256 for top tokens; a row has a histogram
    }

    /// <summary>Bytes that operations use beside their callers' buffers.</summary>
    internal long ScratchBytes => shared.ByteLength + scratch.ByteLength;

    /// <summary>Takes memory of a freed buffer off the account.</summary>
    internal void Freed(long byteLength) => allocated -= byteLength;

    /// <inheritdoc />
    protected override void WriteBytes(DeviceBuffer target, long byteOffset, ReadOnlySpan<byte> data)
    {
        if (recorder.Count > 0)
        {
            throw new InvalidOperationException("buffers cannot be written while operations are enqueued: run them first");
        }

        data.CopyTo(new Span<byte>(CpuBuffer.AddressOf(target, this) + byteOffset, data.Length));
    }

    /// <inheritdoc />
    protected override void ReadBytes(DeviceBuffer source, long byteOffset, Span<byte> data) =>
        new ReadOnlySpan<byte>(CpuBuffer.AddressOf(source, this) + byteOffset, data.Length).CopyTo(data);

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposed || !disposing)
        {
            return;
        }

        disposed = true;
        crew.Dispose();
        recorder.Dispose();
        shared.Dispose();
        scratch.Dispose();
    }

    /// <summary>The processor with so many workers, as people know it.</summary>
    internal static DeviceDescription Describe(int workers) => new(
        DeviceKind.Cpu, 0, ProcessorName.Read(), Detail(workers), GC.GetGCMemoryInfo().TotalAvailableMemoryBytes)
    {
        Kernels = "Cpu: all operations",
    };

    private static string Detail(int workers)
    {
        string simd = Vector512.IsHardwareAccelerated ? "AVX-512"
            : Avx2.IsSupported && Fma.IsSupported ? "AVX2 and FMA"
            : AdvSimd.IsSupported ? "Advanced SIMD"
            : "portable vectors";
        return $"{workers} {(workers == 1 ? "worker" : "workers")}, {simd}";
    }
}

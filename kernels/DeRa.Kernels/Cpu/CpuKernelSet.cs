using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// Plain processors, no driver: operations are recorded and <see cref="Run"/> walks the whole list in one launch of ILGPU's CPU accelerator, with
/// SIMD bodies and a spin barrier between operations. Weights are read where they lie in host memory. Results do not depend on the number of workers.
/// </summary>
public sealed unsafe partial class CpuKernelSet : KernelSet
{
    private readonly Context context;
    private readonly CPUAccelerator accelerator;
    private readonly Action<KernelConfig, long> kernel;
    private readonly KernelConfig grid;
    private readonly StepRecorder recorder = new();
    private readonly NativeBlock shared = new(), scratch = new();
    private readonly StepFailure failure = new();
    private readonly StepContext* step;
    private readonly int workers;
    private readonly long memoryLimit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
    private GCHandle failureHandle;
    private long launches, allocated;
    private bool disposed;

    /// <summary>Starts the workers.</summary>
    /// <param name="workers">How many; by default one for each processor that the process may use.</param>
    /// <exception cref="DeviceException">The accelerator could not be made.</exception>
    public CpuKernelSet(int? workers = null)
    {
        this.workers = workers ?? Environment.ProcessorCount;
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(this.workers, nameof(workers));
        try
        {
            // A warp has at least two threads; groups of one thread are launched, one per multiprocessor.
            var device = new CPUDevice(2, 1, this.workers);
            context = Context.Create(builder => builder.CPU(device));
            accelerator = context.CreateCPUAccelerator(0, CPUAcceleratorMode.Parallel);
            kernel = accelerator.LoadStreamKernel<long>(StepKernel.Run);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            accelerator?.Dispose();
            context?.Dispose();
            throw new DeviceException($"the CPU accelerator with {this.workers} workers could not be made", exception);
        }

        grid = new KernelConfig(this.workers, 1);
        failureHandle = GCHandle.Alloc(failure);
        step = (StepContext*)NativeMemory.AlignedAlloc((nuint)sizeof(StepContext), 64);
        *step = new StepContext { Failure = GCHandle.ToIntPtr(failureHandle) };
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
            step->Operations = recorder.Operations;
            step->Count = recorder.Count;
            step->Shared = shared.Address;
            step->Private = scratch.Address;
            step->PrivateStride = stride;
            launches++;
            kernel(grid, (long)step);
            accelerator.Synchronize();
        }
        finally
        {
            recorder.Clear();
        }

        if (failure.First is { } first)
        {
            failure.First = null;
            step->Failed = 0;
            step->Arrivals = 0;
            throw new InvalidOperationException($"an operation of the step failed: {first.Message}", first);
        }
    }

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
        accelerator.Dispose();
        context.Dispose();
        recorder.Dispose();
        shared.Dispose();
        scratch.Dispose();
        failureHandle.Free();
        NativeMemory.AlignedFree(step);
    }

    /// <summary>The processor with so many workers, as people know it.</summary>
    internal static DeviceDescription Describe(int workers) => new(
        DeviceKind.Cpu, 0, ProcessorName.Read(), Detail(workers), GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    private static string Detail(int workers)
    {
        string simd = Avx512F.VL.IsSupported ? "AVX-512, 256-bit vectors"
            : Avx2.IsSupported && Fma.IsSupported ? "AVX2 and FMA"
            : AdvSimd.IsSupported ? "Advanced SIMD"
            : "portable vectors";
        return $"{workers} {(workers == 1 ? "worker" : "workers")}, {simd}";
    }
}

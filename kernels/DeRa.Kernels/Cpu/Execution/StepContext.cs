using System.Runtime.InteropServices;

namespace DeRa.Kernels.Cpu;

/// <summary>What the workers of a launch share; lives in native memory. The barrier's counter has a cache line to itself.</summary>
[StructLayout(LayoutKind.Explicit, Size = 192)]
internal unsafe struct StepContext
{
    /// <summary>Arrivals at barriers since the set was made.</summary>
    [FieldOffset(0)]
    public long Arrivals;

    /// <summary>Not 0 once an operation threw.</summary>
    [FieldOffset(64)]
    public int Failed;

    /// <summary>Operations to run.</summary>
    [FieldOffset(68)]
    public int Count;

    /// <summary>The list.</summary>
    [FieldOffset(72)]
    public RecordedOperation* Operations;

    /// <summary>Scratch memory of all workers together.</summary>
    [FieldOffset(80)]
    public byte* Shared;

    /// <summary>Scratch memory of worker 0; the next worker's follows after <see cref="PrivateStride"/> bytes.</summary>
    [FieldOffset(88)]
    public byte* Private;

    /// <summary>Bytes between two workers' scratch memory.</summary>
    [FieldOffset(96)]
    public long PrivateStride;

    /// <summary>A <see cref="GCHandle"/> to the <see cref="StepFailure"/> that takes the first exception.</summary>
    [FieldOffset(104)]
    public nint Failure;
}

/// <summary>An entry of the list: the body and its arguments.</summary>
internal unsafe struct RecordedOperation
{
    /// <summary>Calls <see cref="IOperation{TSelf}.Run"/> of the operation's type.</summary>
    public delegate*<void*, Worker*, void> Body;

    /// <summary>The operation.</summary>
    public void* Arguments;
}

/// <summary>Carries the first exception of a step from a worker to the caller of Run.</summary>
internal sealed class StepFailure
{
    /// <summary>The exception, or null while all is well.</summary>
    public Exception? First;
}

using System.Runtime.InteropServices;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// What the workers of a set share; lives in native memory. Words that workers write at the same time have a cache line each.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal unsafe struct StepContext
{
    /// <summary>The step that is open to workers: its number, or 0 between steps.</summary>
    [FieldOffset(0)]
    public long Open;

    /// <summary>Helpers that are walking a step.</summary>
    [FieldOffset(64)]
    public int Inside;

    /// <summary>Not 0 once an operation threw.</summary>
    [FieldOffset(128)]
    public int Failed;

    /// <summary>Not 0 once the set is being disposed of.</summary>
    [FieldOffset(132)]
    public int Closing;

    /// <summary>Operations to run.</summary>
    [FieldOffset(136)]
    public int Count;

    /// <summary>Workers, the caller of Run among them.</summary>
    [FieldOffset(140)]
    public int Workers;

    /// <summary>Number of the step's first phase; phases are counted since the set was made.</summary>
    [FieldOffset(144)]
    public long FirstPhase;

    /// <summary>The list.</summary>
    [FieldOffset(152)]
    public RecordedOperation* Operations;

    /// <summary>Scratch memory of all workers together.</summary>
    [FieldOffset(160)]
    public byte* Shared;

    /// <summary>Scratch memory of worker 0; the next worker's follows after <see cref="PrivateStride"/> bytes.</summary>
    [FieldOffset(168)]
    public byte* Private;

    /// <summary>Bytes between two workers' scratch memory.</summary>
    [FieldOffset(176)]
    public long PrivateStride;

    /// <summary>Progress of the phase: a <see cref="PhaseWord"/> of finished units, then one per worker of claims taken from its share.</summary>
    [FieldOffset(184)]
    public long* Progress;

    /// <summary>A <see cref="GCHandle"/> to the <see cref="Crew"/>.</summary>
    [FieldOffset(192)]
    public nint Crew;
}

/// <summary>An entry of the list: the body and its arguments.</summary>
internal unsafe struct RecordedOperation
{
    /// <summary>Calls <see cref="IOperation{TSelf}.Run"/> of the operation's type.</summary>
    public delegate*<void*, Worker*, void> Body;

    /// <summary>The operation.</summary>
    public void* Arguments;

    /// <summary>The operation's type.</summary>
    public nint Type;

    /// <summary>Calls <see cref="IOperation{TSelf}.Stream"/> of the next operation after this one that streams weights; null if none does.</summary>
    public delegate*<void*, int, int, out byte*, out byte*, void> NextStream;

    /// <summary>That operation.</summary>
    public void* Next;

    /// <summary>Operations from this one on that are run as one <see cref="RowChain"/>; 1 or less for none.</summary>
    public int Chained;

    /// <summary>Rows of the chain.</summary>
    public int Rows;

    /// <summary>Calls <see cref="IRowOperation{TSelf}.RunRows"/> of the operation's type.</summary>
    public delegate*<void*, Worker*, int, int, void> RowsBody;
}

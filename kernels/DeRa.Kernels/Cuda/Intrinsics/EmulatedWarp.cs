using ILGPU;
using ILGPU.Backends.PTX;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// Lets the .NET bodies of warp-wide instructions run in ILGPU's emulation, where every work-item is a thread: the 32 threads of a warp meet at a
/// barrier and read what the others brought. It shows what a kernel's data flow computes; one emulated group runs at a time in a process.
/// </summary>
internal static class EmulatedWarp
{
    /// <summary>Threads of a warp.</summary>
    public const int Size = 32;

    private const int MostWarps = 32;

    private static readonly Barrier[] Barriers = [.. Enumerable.Range(0, MostWarps).Select(_ => new Barrier(Size))];

    // Two sets in turn for each warp: whoever writes one again has passed the next barrier, so every reader is done with it.
    private static readonly Operand[][] Lanes = [.. Enumerable.Range(0, 2 * MostWarps).Select(_ => new Operand[Size])];

    /// <summary>Brings this lane's operand and returns those of all lanes, in order of lanes. Valid until the lane's second next call.</summary>
    public static Operand[] Exchange(Operand mine)
    {
        int warp = Group.IdxX / Size;
        Barrier barrier = Barriers[warp];
        Operand[] set = Lanes[2 * warp + (int)(barrier.CurrentPhaseNumber & 1)];
        set[Group.IdxX % Size] = mine;
        barrier.SignalAndWait();
        return set;
    }

    /// <summary>What a lane brings to an instruction.</summary>
    public struct Operand
    {
        public Quad A;
        public uint B0;
        public uint B1;
        public nint Address;
        public float Value;
        public long Long;
    }
}

/// <summary>A lane's place in its warp, and exchanges with other lanes.</summary>
/// <remarks>Masks and shifts, because ILGPU leaves a division by a constant to the assembler, which in loops takes it for one by a variable: some 15 instructions.</remarks>
internal static class Lane
{
    /// <summary>The lane's warp in its group.</summary>
    public static int Warp => Group.IdxX >> 5;

    /// <summary>Index in the warp.</summary>
    public static int Index => Group.IdxX & (EmulatedWarp.Size - 1);

    /// <summary>g: the row of A, or column of B, that the lane holds.</summary>
    public static int Line => Index >> 2;

    /// <summary>t: the lane's place among the four that hold a line.</summary>
    public static int Place => Index & 3;

    /// <summary>The value of the lane whose index differs in the bits of <paramref name="mask"/>. Called by the whole warp.</summary>
    [IntrinsicImplementation, External("laneExchange")]
    public static float Exchange(float value, int mask) =>
        EmulatedWarp.Exchange(new() { Value = value })[(Group.IdxX % EmulatedWarp.Size) ^ mask].Value;

    /// <summary>The value of a lane of the caller's choice. Called by the whole warp.</summary>
    [IntrinsicImplementation, External("laneFrom")]
    public static long From(long value, int lane) => EmulatedWarp.Exchange(new() { Long = value })[lane].Long;

    private static void EmitExchange(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string value = Ptx.Scalar(generator, call[0]), mask = Ptx.Scalar(generator, call[1]), result = Ptx.Result(generator, call);
        generator.Builder.Append($"\tshfl.sync.bfly.b32 {result}, {value}, {mask}, 0x1f, 0xffffffff;\n");
    }

    private static void EmitFrom(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string value = Ptx.Scalar(generator, call[0]), lane = Ptx.Scalar(generator, call[1]), result = Ptx.Result(generator, call);
        generator.Builder.Append(
            $"\t{{ .reg .b32 low, high; mov.b64 {Ptx.List("low", "high")}, {value}; "
            + $"shfl.sync.idx.b32 low, low, {lane}, 0x1f, 0xffffffff; shfl.sync.idx.b32 high, high, {lane}, 0x1f, 0xffffffff; "
            + $"mov.b64 {result}, {Ptx.List("low", "high")}; }}\n");
    }
}

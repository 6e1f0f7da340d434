using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ILGPU.Backends.PTX;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Cuda;

/// <summary>Sixteen bytes at once: from device memory past the first-level cache, from shared memory, and from one to the other without registers.</summary>
/// <remarks>
/// In emulation a copy happens at the wait that promises it and not before, so a kernel that reads too early computes with what lay there.
/// </remarks>
internal static class Memory16
{
    [ThreadStatic]
    private static Queue<List<Copy>>? committed;

    [ThreadStatic]
    private static List<Copy>? open;

    /// <summary>Sixteen bytes of a weight, read once: they pass by the first-level cache.</summary>
    [IntrinsicImplementation, External("memoryStream")]
    public static Quad Stream(ref ushort at) => Unsafe.As<ushort, Quad>(ref at);

    /// <summary>Sixteen bytes of shared memory.</summary>
    [IntrinsicImplementation, External("memoryShared")]
    public static Quad Shared(ref Quad at) => at;

    /// <summary>
    /// ldmatrix.x4.trans, called by a whole warp: lane l names row l mod 8 of matrix l / 8, eight elements each; of every matrix a lane (g, t) gets the
    /// elements of column g in rows 2t and 2t + 1.
    /// </summary>
    [IntrinsicImplementation, External("memoryTransposed")]
    public static unsafe Quad Transposed(ref Quad row)
    {
        EmulatedWarp.Operand[] lanes = EmulatedWarp.Exchange(new() { Address = (nint)Unsafe.AsPointer(ref row) });
        return new() { X = Pair(0), Y = Pair(1), Z = Pair(2), W = Pair(3) };

        uint Pair(int matrix) => Element(matrix, 2 * Lane.Place) | (Element(matrix, 2 * Lane.Place + 1) << 16);

        uint Element(int matrix, int line) => ((ushort*)lanes[8 * matrix + line].Address)[Lane.Line];
    }

    /// <summary>Begins a copy of <paramref name="bytes"/> (16, or 0 for zeros) to sixteen bytes of shared memory; at once before sm_80.</summary>
    [IntrinsicImplementation, External("memoryCopy")]
    public static unsafe void Copy16(ref Quad to, ref ushort from, int bytes) =>
        Begin((nint)Unsafe.AsPointer(ref to), (nint)Unsafe.AsPointer(ref from), 16, bytes);

    /// <summary>Ends a batch of copies.</summary>
    [IntrinsicImplementation, External("memoryCommit")]
    public static void Commit()
    {
        (committed ??= new()).Enqueue(open ?? []);
        open = null;
    }

    /// <summary>Waits until all but the newest batch of this work-item have arrived.</summary>
    [IntrinsicImplementation, External("memoryWaitForAllButOne")]
    public static void WaitForAllButOne() => Arrive(1);

    /// <summary>Waits for all batches of this work-item.</summary>
    [IntrinsicImplementation, External("memoryWaitForAll")]
    public static void WaitForAll() => Arrive(0);

    /// <summary>In emulation: begins a copy of <paramref name="bytes"/> to <paramref name="size"/> bytes, zeros after them.</summary>
    public static void Begin(nint to, nint from, int size, int bytes) => (open ??= []).Add(new(to, from, size, bytes));

    private static unsafe void Arrive(int left)
    {
        while (committed is { } batches && batches.Count > left)
        {
            foreach (Copy copy in batches.Dequeue())
            {
                NativeMemory.Clear((void*)copy.To, (nuint)copy.Size);
                NativeMemory.Copy((void*)copy.From, (void*)copy.To, (nuint)copy.Bytes);
            }
        }
    }

    private static void EmitStream(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string at = Ptx.Address(generator, call[0]), result = Ptx.List(Ptx.Results(generator, call));
        generator.Builder.Append(
            $"\t{{ .reg .u64 g; cvta.to.global.u64 g, {at}; ld.global.nc.L1::no_allocate.v4.u32 {result}, [g]; }}\n");
    }

    private static void EmitShared(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string at = Ptx.Address(generator, call[0]), result = Ptx.List(Ptx.Results(generator, call));
        generator.Builder.Append($"\t{{ .reg .u64 s; cvta.to.shared.u64 s, {at}; ld.shared.v4.u32 {result}, [s]; }}\n");
    }

    private static void EmitTransposed(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string row = Ptx.Address(generator, call[0]), result = Ptx.List(Ptx.Results(generator, call));
        generator.Builder.Append(
            $"\t{{ .reg .u64 s; cvta.to.shared.u64 s, {row}; ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {result}, [s]; }}\n");
    }

    private static void EmitCopy16(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string to = Ptx.Address(generator, call[0]), from = Ptx.Address(generator, call[1]), bytes = Ptx.Scalar(generator, call[2]);
        string copy = IsAsynchronous(generator)
            ? $"cp.async.cg.shared.global [s], [g], 16, {bytes};"
            : $"""
              .reg .b32 w<4>; .reg .pred p; setp.ne.s32 p, {bytes}, 0;
              mov.b32 w0, 0; mov.b32 w1, 0; mov.b32 w2, 0; mov.b32 w3, 0;
              @p ld.global.v4.b32 {Ptx.List("w0", "w1", "w2", "w3")}, [g]; st.shared.v4.b32 [s], {Ptx.List("w0", "w1", "w2", "w3")};
              """;
        generator.Builder.Append(
            $"\t{{ .reg .u64 s, g; cvta.to.shared.u64 s, {to}; cvta.to.global.u64 g, {from}; {copy} }}\n");
    }

    private static void EmitCommit(PTXBackend backend, PTXCodeGenerator generator, Value call) => Emit(generator, "cp.async.commit_group;");

    private static void EmitWaitForAllButOne(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        Emit(generator, "cp.async.wait_group 1;");

    private static void EmitWaitForAll(PTXBackend backend, PTXCodeGenerator generator, Value call) => Emit(generator, "cp.async.wait_group 0;");

    private static void Emit(PTXCodeGenerator generator, string instruction)
    {
        if (IsAsynchronous(generator))
        {
            generator.Builder.Append($"\t{instruction}\n");
        }
    }

    private static bool IsAsynchronous(PTXCodeGenerator generator) => generator.Architecture >= CudaArchitecture.SM_80;

    private readonly record struct Copy(nint To, nint From, int Size, int Bytes);
}

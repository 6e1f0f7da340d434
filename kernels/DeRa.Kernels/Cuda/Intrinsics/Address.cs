using System.Runtime.CompilerServices;
using ILGPU.Backends.PTX;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Cuda;

/// <summary>Memory by addresses that are taken once, ahead of a loop, and advanced in it.</summary>
/// <remarks>
/// ILGPU computes a view's element where it is used, in loops again and again: with the divisions, products of 64 bits and look-ups that say which element it is.
/// It cannot move the call that takes an address. The same address advanced by a constant costs nothing in shared memory, where instructions have room for
/// the constant, and one addition in device memory.
/// </remarks>
internal static class Address
{
    // Emulated shared addresses count from here, each work-item for itself: memory of one group is close together.
    [ThreadStatic]
    private static nint anchor;

    /// <summary>The address of shared memory.</summary>
    [IntrinsicImplementation, External("addressOfShared")]
    public static unsafe int OfShared(ref Quad at)
    {
        nint address = (nint)Unsafe.AsPointer(ref at);
        if (Math.Abs((long)(address - anchor)) > int.MaxValue / 2)
        {
            anchor = address;
        }

        return (int)(address - anchor);
    }

    /// <summary>The address of device memory.</summary>
    [IntrinsicImplementation, External("addressOfDevice")]
    public static unsafe long OfDevice(ref ushort at) => (nint)Unsafe.AsPointer(ref at);

    /// <summary>Sixteen bytes of shared memory.</summary>
    [IntrinsicImplementation, External("addressLoad")]
    public static unsafe Quad Load(int shared) => *(Quad*)(anchor + shared);

    /// <summary>Sixteen bytes of a weight, read once: they pass by the first-level cache.</summary>
    [IntrinsicImplementation, External("addressStream")]
    public static unsafe Quad Stream(long device) => *(Quad*)(nint)device;

    /// <summary>
    /// Begins a copy of sixteen bytes to shared memory if <paramref name="left"/> inputs from there on are more than none, else of zeros, and then reads nothing;
    /// at once before sm_80. <see cref="Memory16.Commit"/> ends a batch.
    /// </summary>
    [IntrinsicImplementation, External("addressCopy")]
    public static void Copy(int shared, long device, int left) => Memory16.Begin(anchor + shared, (nint)device, 16, left > 0 ? 16 : 0);

    private static void EmitOfShared(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string at = Ptx.Address(generator, call[0]), result = Ptx.Result(generator, call);
        generator.Builder.Append($"\t{{ .reg .u64 s; cvta.to.shared.u64 s, {at}; cvt.u32.u64 {result}, s; }}\n");
    }

    private static void EmitOfDevice(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string at = Ptx.Address(generator, call[0]), result = Ptx.Result(generator, call);
        generator.Builder.Append($"\tcvta.to.global.u64 {result}, {at};\n");
    }

    private static void EmitLoad(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string shared = Ptx.Scalar(generator, call[0]), result = Ptx.List(Ptx.Results(generator, call));
        generator.Builder.Append($"\tld.shared.v4.u32 {result}, [{shared}];\n");
    }

    private static void EmitStream(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string device = Ptx.Scalar(generator, call[0]), result = Ptx.List(Ptx.Results(generator, call));
        generator.Builder.Append($"\tld.global.nc.L1::no_allocate.v4.u32 {result}, [{device}];\n");
    }

    private static void EmitCopy(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string shared = Ptx.Scalar(generator, call[0]), device = Ptx.Scalar(generator, call[1]), left = Ptx.Scalar(generator, call[2]);
        string copy = generator.Architecture >= CudaArchitecture.SM_80
            ? $".reg .b32 n; selp.b32 n, 16, 0, p; cp.async.cg.shared.global [{shared}], [{device}], 16, n;"
            : $"""
              .reg .b32 w<4>;
              mov.b32 w0, 0; mov.b32 w1, 0; mov.b32 w2, 0; mov.b32 w3, 0;
              @p ld.global.v4.b32 {Ptx.List("w0", "w1", "w2", "w3")}, [{device}]; st.shared.v4.b32 [{shared}], {Ptx.List("w0", "w1", "w2", "w3")};
              """;
        generator.Builder.Append($"\t{{ .reg .pred p; setp.gt.s32 p, {left}, 0; {copy} }}\n");
    }
}

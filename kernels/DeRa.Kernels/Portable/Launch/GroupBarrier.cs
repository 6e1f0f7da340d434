using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace DeRa.Kernels.Portable;

/// <summary>
/// A barrier of the group over shared and device memory. ILGPU 1.5.3 writes OpenCL's with the fence over device memory alone, and shared memory is
/// what groups meet at.
/// </summary>
internal static class GroupBarrier
{
    /// <summary>Registers the bodies; once per context, before an accelerator is made.</summary>
    public static void Register(Context context) => IntrinsicBodies.Register(
        context,
        typeof(GroupBarrier),
        (nameof(Wait), nameof(EmitOpenCl), nameof(EmitPtx)));

    /// <summary>Every member of the group sees what the others wrote before; all of them call it.</summary>
    [IntrinsicImplementation, External("groupBarrierWait")]
    public static void Wait() => Group.Barrier();

    private static void EmitOpenCl(CLBackend backend, CLCodeGenerator generator, Value call) =>
        generator.Builder.Append("work_group_barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);\n");

    // As ILGPU's own, which orders both for the group.
    private static void EmitPtx(PTXBackend backend, PTXCodeGenerator generator, Value call) => generator.Builder.Append("\tbar.sync 0;\n");
}

using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace DeRa.Kernels.Portable;

/// <summary>
/// How the groups of one launch find out which of them finishes last: that one merges what all have written, in a fixed order, so the result
/// does not depend on the order of arrival and no second launch is needed.
/// </summary>
internal static class LastGroup
{
    /// <summary>Registers the bodies; once per context, before an accelerator is made.</summary>
    public static void Register(Context context) => IntrinsicBodies.Register(
        context,
        typeof(LastGroup),
        (nameof(Arrive), nameof(EmitOpenCL), nameof(EmitPtx)));

    /// <summary>
    /// Called by every member of the group after its writes: whether this group is the last of <paramref name="groups"/>. The last one sees
    /// everything the others wrote and finds the counter reset for the next launch.
    /// </summary>
    /// <param name="counter">One counter in device memory, 0 before the launch.</param>
    /// <param name="groups">Groups that arrive at this counter.</param>
    /// <param name="flag">One int of shared memory.</param>
    public static bool IsLast<TForm>(ref int counter, int groups, ArrayView<int> flag)
        where TForm : struct, IGroupForm
    {
        TForm.Barrier(); // the group's writes come before its first member's arrival
        for (int writer = Group.IdxX; writer < 1; writer += Group.DimX)
        {
            flag[0] = Arrive(ref counter, groups);
        }

        TForm.Barrier();
        return flag[0] == groups - 1;
    }

    /// <summary>
    /// Adds one to the counter, which goes back to 0 at <paramref name="groups"/>, and returns what it was, ordering all memory before and after
    /// it on the whole device.
    /// </summary>
    [IntrinsicImplementation, External("lastGroupArrive")]
    public static int Arrive(ref int counter, int groups)
    {
        int arrived = Interlocked.Increment(ref counter);
        if (arrived == groups)
        {
            counter = 0;
        }

        return arrived - 1;
    }

    // atomic_inc on a volatile global int exists in every version of OpenCL C; ILGPU's own atomics emit the explicit forms of 2.0, which PoCL 3.1
    // does not take. No barrier over global memory is needed: the fence of the arriving work-item is cumulative over what the barrier ordered
    // before it. The last to arrive is alone with the counter.
    private static void EmitOpenCL(CLBackend backend, CLCodeGenerator generator, Value call)
    {
        var counter = generator.Load(call[0]);
        var groups = generator.Load(call[1]);
        var result = generator.Allocate(call);
        using (var statement = generator.BeginStatement(result))
        {
            statement.AppendConstant(0);
        }

        generator.Builder.Append($$"""
            {
            #if __OPENCL_C_VERSION__ >= 200
                atomic_work_item_fence(CLK_GLOBAL_MEM_FENCE, memory_order_acq_rel, memory_scope_device);
                {{result}} = atomic_inc((volatile global int*)(size_t){{counter}});
                if ({{result}} == {{groups}} - 1) *(volatile global int*)(size_t){{counter}} = 0;
                atomic_work_item_fence(CLK_GLOBAL_MEM_FENCE, memory_order_acq_rel, memory_scope_device);
            #else
                mem_fence(CLK_GLOBAL_MEM_FENCE);
                {{result}} = atomic_inc((volatile global int*)(size_t){{counter}});
                if ({{result}} == {{groups}} - 1) *(volatile global int*)(size_t){{counter}} = 0;
                mem_fence(CLK_GLOBAL_MEM_FENCE);
            #endif
            }

            """);
    }

    // The instruction wraps around by itself.
    private static void EmitPtx(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string counter = Name(generator.LoadHardware(call[0]));
        string groups = Name(generator.LoadHardware(call[1]));
        string result = Name(generator.AllocateHardware(call));
        generator.Builder.Append($$"""
            {
            .reg .u64 arrive_at;
            .reg .u32 arrive_last;
            cvta.to.global.u64 arrive_at, {{counter}};
            sub.u32 arrive_last, {{groups}}, 1;
            fence.acq_rel.gpu;
            atom.global.inc.u32 {{result}}, [arrive_at], arrive_last;
            fence.acq_rel.gpu;
            }

            """);
    }

    private static string Name(PTXCodeGenerator.HardwareRegister register) =>
        "%" + PTXRegisterAllocator.GetStringRepresentation(register);
}

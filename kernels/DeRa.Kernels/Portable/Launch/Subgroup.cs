using System.Globalization;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace DeRa.Kernels.Portable;

/// <summary>
/// The last steps of a group's reduction by halving, inside one subgroup (a warp on CUDA): members exchange registers, and no barrier is needed. Values
/// meet in the order of the steps that they replace, so the result has the same bits with and without.
/// </summary>
/// <remarks>
/// OpenCL C says which device has what: its compiler defines a macro per extension, so the choice is made where the kernel is compiled, on the device.
/// Which work-items form a subgroup is left to implementations; members therefore read the scratch by their index in the subgroup. PoCL 3.1 has no
/// subgroups. ILGPU's own warp operations are not used: they need extensions of another vendor's devices, and PoCL takes none of them.
/// </remarks>
internal static class Subgroup
{
    /// <summary>Registers the bodies; once per context, before an accelerator is made.</summary>
    public static void Register(Context context) => IntrinsicBodies.Register(
        context,
        typeof(Subgroup),
        (nameof(Width), nameof(EmitOpenClWidth), nameof(EmitPtxWidth)),
        (nameof(FoldSum), nameof(EmitOpenClSum), nameof(EmitPtxSum)),
        (nameof(FoldMax), nameof(EmitOpenClMax), nameof(EmitPtxMax)));

    /// <summary>Elements that <see cref="FoldSum"/> and <see cref="FoldMax"/> take: a power of two up to the group's size; 1 where there are no subgroups.</summary>
    [IntrinsicImplementation, External("subgroupWidth")]
    public static int Width() => 1;

    /// <summary>
    /// values[0] = the sum of the first <see cref="Width"/> elements of shared memory, by halving. Called by the whole group after a barrier; a barrier has
    /// to follow.
    /// </summary>
    [IntrinsicImplementation, External("subgroupFoldSum")]
    public static void FoldSum(ref float values)
    {
        // One element is its own sum.
    }

    /// <summary>values[0] = the largest, as <see cref="FoldSum"/>.</summary>
    [IntrinsicImplementation, External("subgroupFoldMax")]
    public static void FoldMax(ref float values)
    {
    }

    private const string ShuffleMacro = """
        #if defined(cl_khr_subgroup_shuffle)
        #define DERA_SHUFFLE sub_group_shuffle
        #elif defined(cl_intel_subgroups)
        #define DERA_SHUFFLE intel_sub_group_shuffle
        #endif
        """;

    // No subgroups of one, of an odd number, or larger than the group.
    private const string OpenClWidth = "(get_max_sub_group_size() & (get_max_sub_group_size() - 1)) == 0 && get_max_sub_group_size() <= get_local_size(0) ? (int)get_max_sub_group_size() : 1";

    private static void EmitOpenClWidth(CLBackend backend, CLCodeGenerator generator, Value call)
    {
        var result = generator.Allocate(call);
        using (var statement = generator.BeginStatement(result))
        {
            statement.AppendConstant(1); // a statement makes the generator declare the variable
        }

        generator.Builder.Append(CultureInfo.InvariantCulture, $$"""
            {{ShuffleMacro}}
            #ifdef DERA_SHUFFLE
            {{result}} = {{OpenClWidth}};
            #endif

            """);
    }

    private static void EmitOpenClSum(CLBackend backend, CLCodeGenerator generator, Value call) => EmitOpenCl(generator, call, "v_ + o_");

    private static void EmitOpenClMax(CLBackend backend, CLCodeGenerator generator, Value call) => EmitOpenCl(generator, call, "o_ > v_ ? o_ : v_");

    private static void EmitOpenCl(CLCodeGenerator generator, Value call, string merged)
    {
        string values = OpenClText.Of(generator, call[0]);
        generator.Builder.Append(CultureInfo.InvariantCulture, $$"""
            {{ShuffleMacro}}
            #ifdef DERA_SHUFFLE
            { const int w_ = {{OpenClWidth}};
            if (w_ > 1 && get_sub_group_id() == 0) { float* m_ = (float*)({{values}}); const uint j_ = get_sub_group_local_id(); float v_ = m_[j_];
            for (int d_ = w_ / 2; d_ > 0; d_ /= 2) { const float o_ = DERA_SHUFFLE(v_, (j_ + (uint)d_) & (uint)(w_ - 1)); v_ = {{merged}}; }
            if (j_ == 0) m_[0] = v_; } }
            #endif

            """);
    }

    private static void EmitPtxWidth(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        generator.Builder.Append($"\tmov.u32 {Cuda.Ptx.Result(generator, call)}, 32;\n");

    private static void EmitPtxSum(PTXBackend backend, PTXCodeGenerator generator, Value call) => EmitPtx(generator, call, "add.f32 v, v, o;");

    private static void EmitPtxMax(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        EmitPtx(generator, call, "setp.gt.f32 larger, o, v; selp.f32 v, o, v, larger;");

    private static void EmitPtx(PTXCodeGenerator generator, Value call, string merge)
    {
        generator.Builder.Append(CultureInfo.InvariantCulture, $$"""
            {
            .reg .u64 at; .reg .u32 member; .reg .f32 v, o; .reg .pred other, first, larger;
            mov.u32 member, %tid.x;
            setp.ge.u32 other, member, 32;
            @other bra FOLDED;
            cvta.to.shared.u64 at, {{Cuda.Ptx.Address(generator, call[0])}};
            mad.wide.u32 at, member, 4, at;
            ld.shared.f32 v, [at];

            """);
        for (int distance = 16; distance > 0; distance /= 2)
        {
            generator.Builder.Append(CultureInfo.InvariantCulture, $"shfl.sync.down.b32 o, v, {distance}, 0x1f, 0xffffffff; {merge}\n");
        }

        generator.Builder.Append("""
            setp.eq.u32 first, member, 0;
            @first st.shared.f32 [at], v;
            FOLDED:
            }

            """);
    }
}

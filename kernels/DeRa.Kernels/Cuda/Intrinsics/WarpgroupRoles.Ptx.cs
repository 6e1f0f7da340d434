using System.Globalization;
using System.Text;
using ILGPU.Backends.PTX;
using ILGPU.IR;

namespace DeRa.Kernels.Cuda;

internal static partial class WarpgroupRoles
{
    private static void EmitBeginCopying(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        generator.Builder.Append(CultureInfo.InvariantCulture, $"\tsetmaxnreg.dec.sync.aligned.u32 {CopierRegisters};\n");

    private static void EmitBeginMultiplying(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        generator.Builder.Append(CultureInfo.InvariantCulture, $"\tsetmaxnreg.inc.sync.aligned.u32 {MultiplierRegisters};\n");

    private static void EmitMeet(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        generator.Builder.Append(CultureInfo.InvariantCulture, $"\tbar.sync {Meeting}, {Multipliers};\n");

    private static void EmitCopy(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string number = Ptx.Scalar(generator, call[3]), place = Ptx.Scalar(generator, call[4]);
        generator.Builder
            .Append(CultureInfo.InvariantCulture, $"\t{{ .reg .u64 g; .reg .u32 free; .reg .pred again; setp.ge.s32 again, {number}, {Stages};\n")
            .Append(CultureInfo.InvariantCulture, $"\tadd.u32 free, {place}, {Free(0)}; @again bar.sync free, {GroupSize};\n")
            .Append(Warpgroup.Copies(generator, call[0], call[2], 0))
            .Append(Warpgroup.Copies(generator, call[1], call[2], 1))
            .Append("\tcp.async.commit_group;\n\t}\n");
    }

    private static void EmitAnnounce(PTXBackend backend, PTXCodeGenerator generator, Value call) => EmitFull(generator, call, 1);

    private static void EmitAnnounceLast(PTXBackend backend, PTXCodeGenerator generator, Value call) => EmitFull(generator, call, 0);

    // The arrivals order what the copiers did before them; the tensor cores' own way to shared memory takes the fence.
    private static void EmitFull(PTXCodeGenerator generator, Value call, int left)
    {
        string place = Ptx.Scalar(generator, call[0]);
        generator.Builder
            .Append(CultureInfo.InvariantCulture, $"\t{{ .reg .u32 full; add.u32 full, {place}, {Full(0, 0)};\n")
            .Append(CultureInfo.InvariantCulture, $"\tcp.async.wait_group {left};\n\tfence.proxy.async.shared::cta;\n")
            .Append(CultureInfo.InvariantCulture, $"\tbar.arrive full, {2 * Warpgroup.Size}; add.u32 full, full, {Full(1, 0) - Full(0, 0)}; bar.arrive full, {2 * Warpgroup.Size};\n\t}}\n");
    }

    private static void EmitBFloat16(PTXBackend backend, PTXCodeGenerator generator, Value call) => EmitMultiply(generator, call, "bf16");

    private static void EmitFloat16(PTXBackend backend, PTXCodeGenerator generator, Value call) => EmitMultiply(generator, call, "f16");

    // The loop is here and not ILGPU's, which would copy the sums from turn to turn while products are on their way to them.
    private static void EmitMultiply(PTXCodeGenerator generator, Value call, string type)
    {
        string ring = Ptx.Scalar(generator, call[0]), from = Ptx.Scalar(generator, call[1]), to = Ptx.Scalar(generator, call[2]), count = Ptx.Scalar(generator, call[3]);
        string[] sums = Ptx.Results(generator, call);
        const long Stage = Warpgroup.StageBytes >> 4;
        long low = Warpgroup.Descriptor(0) & uint.MaxValue;
        string high = (Warpgroup.Descriptor(0) >> 32).ToString(CultureInfo.InvariantCulture);
        StringBuilder text = generator.Builder.Append(CultureInfo.InvariantCulture, $$"""
            	{ .reg .u64 a, b; .reg .u32 number, place, own, w, x, at, full, free, last; .reg .pred adds, frees, more;
            	setp.eq.u32 adds, 0, 0;
            	mov.u32 own, %tid.x; shr.u32 own, own, 7;
            	mov.u32 number, {{from}}; rem.u32 place, number, {{Stages}};
            	mad.lo.u32 x, place, {{Warpgroup.StageBytes}}, {{ring}};
            	mad.lo.u32 w, own, {{Warpgroup.Lines * Warpgroup.LineBytes}}, x; add.u32 x, x, {{Warpgroup.StageBytes / 2}};
            	shr.u32 w, w, 4; or.b32 w, w, {{low}}; shr.u32 x, x, 4; or.b32 x, x, {{low}};
            	mad.lo.u32 full, own, {{Full(1, 0) - Full(0, 0)}}, place; add.u32 full, full, {{Full(0, 0)}};
            	add.u32 free, place, {{Free(0)}}; sub.u32 last, {{count}}, {{Stages}};

            """);
        foreach (string sum in sums)
        {
            text.Append(CultureInfo.InvariantCulture, $"\tmov.f32 {sum}, 0f00000000;\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"\tNEXT:\n\tbar.sync full, {2 * Warpgroup.Size};\n\twgmma.fence.sync.aligned;\n");
        for (int product = 0; product < Warpgroup.Products; product++)
        {
            int advance = Warpgroup.Advance(product) >> 4;
            text.Append(CultureInfo.InvariantCulture, $"\tadd.u32 at, w, {advance}; mov.b64 a, {Ptx.List("at", high)}; add.u32 at, x, {advance}; mov.b64 b, {Ptx.List("at", high)};\n");
            text.Append(CultureInfo.InvariantCulture, $"\twgmma.mma_async.sync.aligned.m64n{WarpgroupSums.Rows}k16.f32.{type}.{type} {Ptx.List(sums)}, a, b, adds, 1, 1, 0, 0;\n");
        }

        // Awaited are the products of the stage before, whose place is given back unless nothing overwrites it; then the last one's.
        text.Append(CultureInfo.InvariantCulture, $$"""
            	wgmma.commit_group.sync.aligned;
            	wgmma.wait_group.sync.aligned 1;
            	setp.gt.s32 frees, number, {{from}}; setp.le.and.s32 frees, number, last, frees;
            	@frees bar.arrive free, {{GroupSize}};
            	add.u32 free, place, {{Free(0)}};
            	add.u32 number, number, 1; add.u32 place, place, 1; add.u32 full, full, 1; add.u32 w, w, {{Stage}}; add.u32 x, x, {{Stage}};
            	setp.eq.u32 more, place, {{Stages}};
            	@more mov.u32 place, 0; @more sub.u32 full, full, {{Stages}}; @more sub.u32 w, w, {{Stages * Stage}}; @more sub.u32 x, x, {{Stages * Stage}};
            	setp.lt.s32 more, number, {{to}};
            	@more bra NEXT;
            	wgmma.wait_group.sync.aligned 0;
            	setp.le.s32 frees, number, last;
            	@frees bar.arrive free, {{GroupSize}};
            	}

            """);
    }
}

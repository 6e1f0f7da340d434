using System.Globalization;
using System.Text;
using ILGPU.Backends.PTX;
using ILGPU.IR;

namespace DeRa.Kernels.Cuda;

internal static partial class Warpgroup
{
    private static void EmitSharedAddress(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string at = Ptx.Address(generator, call[0]), result = Ptx.Result(generator, call);
        generator.Builder.Append($"\t{{ .reg .u64 s; cvta.to.shared.u64 s, {at}; cvt.u32.u64 {result}, s; }}\n");
    }

    private static void EmitBegin(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        generator.Builder.Append("\t{ .reg .u64 g;\n").Append(Copies(generator, call[0], call[1], 0)).Append("\tcp.async.commit_group;\n\t}\n");

    // What copies wrote is seen by ordinary loads; the tensor cores read shared memory by another way, which the fence closes.
    private static void EmitArrive(PTXBackend backend, PTXCodeGenerator generator, Value call) =>
        generator.Builder.Append("\tcp.async.wait_group 1;\n\tfence.proxy.async.shared::cta;\n");

    private static void EmitBFloat16(PTXBackend backend, PTXCodeGenerator generator, Value call) => EmitMultiply(generator, call, "bf16");

    private static void EmitFloat16(PTXBackend backend, PTXCodeGenerator generator, Value call) => EmitMultiply(generator, call, "f16");

    private static void EmitMultiply(PTXCodeGenerator generator, Value call, string type)
    {
        string[] before = Ptx.Fields(generator, call[0]);
        string w = Ptx.Scalar(generator, call[1]), x = Ptx.Scalar(generator, call[2]), copies = Copies(generator, call[3], call[4], 0);
        string[] sums = Ptx.Results(generator, call);
        StringBuilder text = generator.Builder.Append("\t{ .reg .u64 a, b, g; .reg .pred adds; setp.eq.u64 adds, 0, 0;\n");
        foreach ((string to, string from) in sums.Zip(before))
        {
            text.Append(CultureInfo.InvariantCulture, $"\tmov.f32 {to}, {from};\n");
        }

        text.Append("\twgmma.fence.sync.aligned;\n");
        for (int product = 0; product < Products; product++)
        {
            int advance = Advance(product) >> 4;
            text.Append(CultureInfo.InvariantCulture, $"\tadd.u64 a, {w}, {advance}; add.u64 b, {x}, {advance};\n");
            text.Append(CultureInfo.InvariantCulture, $"\twgmma.mma_async.sync.aligned.m64n{WarpgroupSums.Rows}k16.f32.{type}.{type} {Ptx.List(sums)}, a, b, adds, 1, 1, 0, 0;\n");
        }

        text.Append("\twgmma.commit_group.sync.aligned;\n").Append(copies).Append("\tcp.async.commit_group;\n\twgmma.wait_group.sync.aligned 0;\n\t}\n");
    }

    public static string Copies(PTXCodeGenerator generator, Value copies, Value step, int half)
    {
        string[] from = Ptx.Fields(generator, copies), to = Ptx.Fields(generator, step);
        var text = new StringBuilder();
        for (int piece = 0; piece < WeightPieces; piece++)
        {
            int line = ((2 * piece) + half) * WeightLines / 2 * LineBytes;
            text.Append(CultureInfo.InvariantCulture, $"\tadd.u64 g, {from[piece]}, {to[0]};\n");
            text.Append(CultureInfo.InvariantCulture, $"\tcp.async.ca.shared.global [{to[2]}+{line}], [g], 8, {to[4]};\n");
            text.Append(CultureInfo.InvariantCulture, $"\tcp.async.ca.shared.global [{to[2]}+{HalfBytes + line}], [g+{LineBytes}], 8, {to[5]};\n");
        }

        for (int piece = 0; piece < ActivationPieces; piece++)
        {
            int row = ((2 * piece) + half) * ActivationRows / 2 * LineBytes;
            text.Append(CultureInfo.InvariantCulture, $"\tadd.u64 g, {from[WeightPieces + piece]}, {to[1]};\n");
            text.Append(CultureInfo.InvariantCulture, $"\tcp.async.cg.shared.global [{to[3]}+{row}], [g], 16;\n");
            text.Append(CultureInfo.InvariantCulture, $"\tcp.async.cg.shared.global [{to[3]}+{HalfBytes + row}], [g+{LineBytes}], 16;\n");
        }

        return text.ToString();
    }
}

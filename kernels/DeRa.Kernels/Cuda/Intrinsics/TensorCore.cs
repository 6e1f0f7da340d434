using ILGPU.Backends.PTX;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// mma.sync m16n8k16 with float32 sums, called by a whole warp: D = A·B + C. A lane (g, t) brings of A the words (row g, k 2t and 2t + 1),
/// (row g + 8, same k), (row g, k 2t + 8 and 2t + 9), (row g + 8, same); of B the words (column g, k 2t and 2t + 1) and (column g, k 2t + 8 and
/// 2t + 9).
/// </summary>
internal static class TensorCore
{
    /// <summary>bfloat16 operands; sm_80 or newer.</summary>
    [IntrinsicImplementation, External("tensorBFloat16")]
    public static Sums BFloat16(Sums c, Quad a, uint b0, uint b1) => Multiply(c, a, b0, b1, isBFloat16: true);

    /// <summary>binary16 operands; two instructions of k = 8 before sm_80, in order of k.</summary>
    [IntrinsicImplementation, External("tensorFloat16")]
    public static Sums Float16(Sums c, Quad a, uint b0, uint b1) => Multiply(c, a, b0, b1, isBFloat16: false);

    private static Sums Multiply(Sums c, Quad a, uint b0, uint b1, bool isBFloat16)
    {
        EmulatedWarp.Operand[] lanes = EmulatedWarp.Exchange(new() { A = a, B0 = b0, B1 = b1 });
        int g = Lane.Line, column = 2 * Lane.Place;
        return new()
        {
            A = Dot(lanes, g, false, column, c.A, isBFloat16),
            B = Dot(lanes, g, false, column + 1, c.B, isBFloat16),
            C = Dot(lanes, g, true, column, c.C, isBFloat16),
            D = Dot(lanes, g, true, column + 1, c.D, isBFloat16),
        };
    }

    private static float Dot(EmulatedWarp.Operand[] lanes, int row, bool lower, int column, float sum, bool isBFloat16)
    {
        double total = sum;
        for (int t = 0; t < 4; t++)
        {
            EmulatedWarp.Operand a = lanes[4 * row + t], b = lanes[4 * column + t];
            total += Product(lower ? a.A.Y : a.A.X, b.B0, isBFloat16) + Product(lower ? a.A.W : a.A.Z, b.B1, isBFloat16);
        }

        return (float)total;
    }

    private static double Product(uint a, uint b, bool isBFloat16) =>
        Element((ushort)a, isBFloat16) * Element((ushort)b, isBFloat16)
        + Element((ushort)(a >> 16), isBFloat16) * Element((ushort)(b >> 16), isBFloat16);

    /// <summary>In emulation: a bfloat16 by its bits.</summary>
    public static double BFloat16Element(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    /// <summary>In emulation: a binary16 by its bits.</summary>
    public static double Float16Element(ushort bits) => (double)BitConverter.UInt16BitsToHalf(bits);

    private static double Element(ushort bits, bool isBFloat16) => isBFloat16 ? BFloat16Element(bits) : Float16Element(bits);

    private static void EmitBFloat16(PTXBackend backend, PTXCodeGenerator generator, Value call) => Emit(generator, call, "bf16");

    private static void EmitFloat16(PTXBackend backend, PTXCodeGenerator generator, Value call) => Emit(generator, call, "f16");

    private static void Emit(PTXCodeGenerator generator, Value call, string type)
    {
        string[] c = Ptx.Fields(generator, call[0]), a = Ptx.Fields(generator, call[1]);
        string b0 = Ptx.Scalar(generator, call[2]), b1 = Ptx.Scalar(generator, call[3]);
        string d = Ptx.List(Ptx.Results(generator, call));
        if (generator.Architecture >= CudaArchitecture.SM_80)
        {
            generator.Builder.Append(
                $"\tmma.sync.aligned.m16n8k16.row.col.f32.{type}.{type}.f32 {d}, {Ptx.List(a)}, {Ptx.List(b0, b1)}, {Ptx.List(c)};\n");
            return;
        }

        if (type != "f16")
        {
            throw new NotSupportedException($"{generator.Architecture}: bfloat16 tensor cores need sm_80");
        }

        generator.Builder.Append(
            $"\tmma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {d}, {Ptx.List(a[0], a[1])}, {Ptx.List(b0)}, {Ptx.List(c)};\n"
            + $"\tmma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {d}, {Ptx.List(a[2], a[3])}, {Ptx.List(b1)}, {d};\n");
    }
}

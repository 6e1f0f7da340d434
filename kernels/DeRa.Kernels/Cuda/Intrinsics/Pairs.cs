using ILGPU.Backends.PTX;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace DeRa.Kernels.Cuda;

/// <summary>Two float32 rounded to a 16-bit type, nearest even, the first one in the lower half of the word.</summary>
internal static class Pairs
{
    /// <summary>As bfloat16; sm_80 or newer.</summary>
    [IntrinsicImplementation, External("pairBFloat16")]
    public static uint BFloat16(float low, float high) => Round(low) | (Round(high) << 16);

    /// <summary>As binary16; values beyond its range become infinite.</summary>
    [IntrinsicImplementation, External("pairFloat16")]
    public static uint Float16(float low, float high) =>
        BitConverter.HalfToUInt16Bits((System.Half)low) | ((uint)BitConverter.HalfToUInt16Bits((System.Half)high) << 16);

    private static uint Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? 0x7fff : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    }

    private static void EmitBFloat16(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string low = Ptx.Scalar(generator, call[0]), high = Ptx.Scalar(generator, call[1]), result = Ptx.Result(generator, call);
        generator.Builder.Append($"\tcvt.rn.bf16x2.f32 {result}, {high}, {low};\n");
    }

    // The form for two at once needs sm_80.
    private static void EmitFloat16(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string low = Ptx.Scalar(generator, call[0]), high = Ptx.Scalar(generator, call[1]), result = Ptx.Result(generator, call);
        generator.Builder.Append(
            $"\t{{ .reg .b16 lo, hi; cvt.rn.f16.f32 lo, {low}; cvt.rn.f16.f32 hi, {high}; mov.b32 {result}, {{lo, hi}}; }}\n");
    }
}

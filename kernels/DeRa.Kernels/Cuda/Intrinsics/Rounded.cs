using ILGPU.Backends.PTX;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace DeRa.Kernels.Cuda;

/// <summary>Arithmetic that rounds where it says, wherever it stands: the compiler neither fuses nor splits these.</summary>
internal static class Rounded
{
    /// <summary>x·y, rounded.</summary>
    [IntrinsicImplementation, External("roundedMultiply")]
    public static float Multiply(float x, float y) => x * y;

    /// <summary>x·y + z, rounded once.</summary>
    [IntrinsicImplementation, External("roundedMultiplyAdd")]
    public static float MultiplyAdd(float x, float y, float z) => MathF.FusedMultiplyAdd(x, y, z);

    /// <summary>e^x by the hardware's 2^x, within 2 ulp and |x| roundings of the exponent; e^0 is 1.</summary>
    [IntrinsicImplementation, External("roundedExp")]
    public static float Exp(float x) => MathF.Exp(x);

    private static void EmitMultiply(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string x = Ptx.Scalar(generator, call[0]), y = Ptx.Scalar(generator, call[1]), result = Ptx.Result(generator, call);
        generator.Builder.Append($"\tmul.rn.f32 {result}, {x}, {y};\n");
    }

    private static void EmitMultiplyAdd(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string x = Ptx.Scalar(generator, call[0]), y = Ptx.Scalar(generator, call[1]), z = Ptx.Scalar(generator, call[2]);
        generator.Builder.Append($"\tfma.rn.f32 {Ptx.Result(generator, call)}, {x}, {y}, {z};\n");
    }

    // 0f3FB8AA3B is log2(e).
    private static void EmitExp(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string x = Ptx.Scalar(generator, call[0]), result = Ptx.Result(generator, call);
        generator.Builder.Append($"\t{{ .reg .f32 e; mul.rn.f32 e, {x}, 0f3FB8AA3B; ex2.approx.f32 {result}, e; }}\n");
    }
}

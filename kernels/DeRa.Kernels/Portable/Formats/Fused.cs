using System.Globalization;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.Frontend;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace DeRa.Kernels.Portable;

/// <summary>
/// A multiply-add with one rounding, by name: whether a compiler contracts x·y + z is its own choice in every kernel, and sums that have to agree between
/// kernels cannot depend on that. Devices without the instruction would be slow; those of the full OpenCL profile with generic addresses have it.
/// </summary>
internal static class Fused
{
    /// <summary>Registers the bodies; once per context, before an accelerator is made.</summary>
    public static void Register(Context context) => IntrinsicBodies.Register(
        context, typeof(Fused), (nameof(MultiplyAdd), nameof(EmitOpenCl), nameof(EmitPtx)));

    /// <summary>x·y + sum, rounded once.</summary>
    [IntrinsicImplementation, External("fusedMultiplyAdd")]
    public static float MultiplyAdd(float x, float y, float sum) => MathF.FusedMultiplyAdd(x, y, sum);

    private static void EmitOpenCl(CLBackend backend, CLCodeGenerator generator, Value call)
    {
        string x = OpenClText.Of(generator, call[0]), y = OpenClText.Of(generator, call[1]), sum = OpenClText.Of(generator, call[2]);
        using var statement = generator.BeginStatement(generator.Allocate(call));
        statement.AppendCommand(string.Create(CultureInfo.InvariantCulture, $"fma({x}, {y}, {sum})"));
    }

    private static void EmitPtx(PTXBackend backend, PTXCodeGenerator generator, Value call)
    {
        string x = Cuda.Ptx.Scalar(generator, call[0]), y = Cuda.Ptx.Scalar(generator, call[1]), sum = Cuda.Ptx.Scalar(generator, call[2]);
        generator.Builder.Append($"\tfma.rn.f32 {Cuda.Ptx.Result(generator, call)}, {x}, {y}, {sum};\n");
    }
}

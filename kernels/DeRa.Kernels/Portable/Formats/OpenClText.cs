using System.Globalization;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.IR;

namespace DeRa.Kernels.Portable;

/// <summary>Arguments of intrinsics as OpenCL C.</summary>
internal static class OpenClText
{
    /// <summary>An argument as an expression. A constant arrives as a ConstantVariable, which does not print as its value.</summary>
    public static string Of(CLCodeGenerator generator, Value argument) => generator.Load(argument) switch
    {
        CLVariableAllocator.ConstantVariable { Value: { BasicValueType: BasicValueType.Float32 } value } =>
            $"as_float(0x{BitConverter.SingleToUInt32Bits(value.Float32Value):X8}u)",
        CLVariableAllocator.ConstantVariable constant => constant.Value.Int32Value.ToString(CultureInfo.InvariantCulture),
        var variable => variable.ToString()!,
    };
}

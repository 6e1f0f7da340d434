using System.Reflection;
using ILGPU;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;
using CompoundRegister = ILGPU.Backends.PTX.PTXCodeGenerator.CompoundRegister;
using PrimitiveRegister = ILGPU.Backends.PTX.PTXCodeGenerator.PrimitiveRegister;

namespace DeRa.Kernels.Cuda;

/// <summary>What every PTX body needs: registers by name, and registration by a pair of names: Method and EmitMethod.</summary>
internal static class Ptx
{
    /// <summary>Registers every intrinsic of this folder; once per context, before an accelerator is made.</summary>
    public static void Register(Context context)
    {
        foreach (Type type in new[] { typeof(TensorCore), typeof(Lane), typeof(Memory16), typeof(Address), typeof(Pairs), typeof(Rounded), typeof(Warpgroup), typeof(WarpgroupRoles) })
        {
            foreach (MethodInfo method in type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly)
                .Where(m => m.IsDefined(typeof(IntrinsicImplementationAttribute))))
            {
                context.GetIntrinsicManager().RegisterMethod(
                    method, new PTXIntrinsic(type, "Emit" + method.Name, IntrinsicImplementationMode.GenerateCode));
            }
        }
    }

    /// <summary>A pointer argument.</summary>
    public static string Address(PTXCodeGenerator generator, Value value) => Name(generator.LoadHardware(value));

    /// <summary>A primitive argument, also where it is a constant.</summary>
    public static string Scalar(PTXCodeGenerator generator, Value value) =>
        Name(generator.EnsureHardwareRegister(generator.LoadPrimitive(value)));

    /// <summary>The registers of a struct argument, in order of its fields.</summary>
    public static string[] Fields(PTXCodeGenerator generator, Value value) => Names(generator, (CompoundRegister)generator.Load(value));

    /// <summary>The registers of a struct result.</summary>
    public static string[] Results(PTXCodeGenerator generator, Value call) => Names(generator, (CompoundRegister)generator.Allocate(call));

    /// <summary>The register of a primitive result.</summary>
    public static string Result(PTXCodeGenerator generator, Value call) => Name(generator.AllocateHardware(call));

    /// <summary>Registers as PTX lists them: {a, b, c}.</summary>
    public static string List(params string[] registers) => $"{{{string.Join(", ", registers)}}}";

    private static string[] Names(PTXCodeGenerator generator, CompoundRegister register) =>
        [.. register.Children.Select(child => Name(generator.EnsureHardwareRegister((PrimitiveRegister)child)))];

    private static string Name(PTXCodeGenerator.HardwareRegister register) => "%" + PTXRegisterAllocator.GetStringRepresentation(register);
}

using System.Reflection;
using ILGPU;
using ILGPU.Backends.OpenCL;
using ILGPU.Backends.PTX;
using ILGPU.IR;
using ILGPU.IR.Intrinsics;

namespace DeRa.Kernels.Portable;

/// <summary>Gives methods of a kernel's source bodies of generated code in place of their .NET ones, which emulation runs.</summary>
internal static class IntrinsicBodies
{
    /// <summary>Registers bodies for OpenCL alone; once per context, before an accelerator is made.</summary>
    /// <param name="context">The context.</param>
    /// <param name="type">Declares the methods and the generators.</param>
    /// <param name="bodies">Names of a method and of what generates its OpenCL C.</param>
    public static void Register(Context context, Type type, params ReadOnlySpan<(string Method, string OpenCl)> bodies)
    {
        foreach ((string method, string openCl) in bodies)
        {
            context.GetIntrinsicManager().RegisterMethod(Find(type, method), new CLIntrinsic(type, openCl, IntrinsicImplementationMode.GenerateCode));
        }
    }

    /// <summary>Registers bodies for OpenCL and CUDA.</summary>
    /// <param name="context">The context.</param>
    /// <param name="type">Declares the methods and the generators.</param>
    /// <param name="bodies">Names of a method and of what generates its OpenCL C and its PTX.</param>
    public static void Register(Context context, Type type, params ReadOnlySpan<(string Method, string OpenCl, string Ptx)> bodies)
    {
        foreach ((string method, string openCl, string ptx) in bodies)
        {
            Register(context, type, (method, openCl));
            context.GetIntrinsicManager().RegisterMethod(Find(type, method), new PTXIntrinsic(type, ptx, IntrinsicImplementationMode.GenerateCode));
        }
    }

    private static MethodInfo Find(Type type, string method) => type.GetMethod(method) ?? throw new MissingMethodException(type.Name, method);
}

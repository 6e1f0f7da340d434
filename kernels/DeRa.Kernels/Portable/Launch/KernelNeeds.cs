using System.Reflection;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Portable;

/// <summary>What a kernel needs of CUDA that ILGPU does not give by itself.</summary>
/// <param name="SharedBytes">Shared memory that is sized at the launch: more than the 48 KiB that a kernel has without asking.</param>
/// <param name="IsArchitectureSpecific">Whether its instructions exist in the target of its architecture alone: sm_90a instead of sm_90.</param>
internal readonly record struct KernelNeeds(int SharedBytes, bool IsArchitectureSpecific)
{
    // CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    private const int MaxDynamicSharedBytes = 8;

    /// <summary>Compiles and loads a kernel.</summary>
    /// <exception cref="AcceleratorException">The driver refuses the code.</exception>
    /// <exception cref="NotSupportedException">The driver does not give the shared memory.</exception>
    public unsafe Kernel Load(CudaAccelerator accelerator, MethodInfo kernel, int groupSize)
    {
        var compiled = (PTXCompiledKernel)accelerator.CompileKernel(
            EntryPointDescription.FromExplicitlyGroupedKernel(kernel), new KernelSpecialization(groupSize, 1));
        if (IsArchitectureSpecific)
        {
            FieldInfo text = typeof(PTXCompiledKernel).GetField($"<{nameof(PTXCompiledKernel.PTXAssembly)}>k__BackingField", BindingFlags.Instance | BindingFlags.NonPublic)
                ?? throw new MissingMemberException($"the field of {nameof(PTXCompiledKernel)}.{nameof(PTXCompiledKernel.PTXAssembly)} is gone: check this version of ILGPU");
            text.SetValue(compiled, PtxTarget.ArchitectureSpecific(compiled.PTXAssembly));
        }

        Kernel loaded = accelerator.LoadKernel(compiled);
        if (!DriverLibraries.TryGetFunction(DeviceKind.Cuda, "cuFuncSetAttribute", out nint address))
        {
            throw new NotSupportedException($"{DriverLibraries.Name(DeviceKind.Cuda)} has no cuFuncSetAttribute");
        }

        accelerator.Bind();
        int status = ((delegate* unmanaged<nint, int, int, int>)address)(((CudaKernel)loaded).FunctionPtr, MaxDynamicSharedBytes, SharedBytes);
        return status == 0
            ? loaded
            : throw new NotSupportedException($"{SharedBytes} bytes of shared memory: error {status}, {CudaAPI.CurrentAPI.GetErrorString((CudaError)status)}");
    }
}

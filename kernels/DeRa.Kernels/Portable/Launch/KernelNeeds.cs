using System.Reflection;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Portable;

/// <summary>What a kernel needs of CUDA that ILGPU does not give by itself.</summary>
/// <param name="SharedBytes">Shared memory that is sized at the launch: more than the 48 KiB that a kernel has without asking.</param>
/// <param name="IsArchitectureSpecific">Whether its instructions exist in the target of its architecture alone: sm_90a instead of sm_90.</param>
/// <param name="Registers">Registers that its work-items must begin with, because it hands them over from some to others; 0 for any number.</param>
internal readonly record struct KernelNeeds(int SharedBytes, bool IsArchitectureSpecific, int Registers = 0)
{
    // CU_FUNC_ATTRIBUTE_NUM_REGS, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES
    private const int NumRegisters = 4, MaxDynamicSharedBytes = 8;

    /// <summary>Compiles and loads a kernel.</summary>
    /// <exception cref="AcceleratorException">The driver refuses the code.</exception>
    /// <exception cref="NotSupportedException">The driver does not give the shared memory, or other registers.</exception>
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
        accelerator.Bind();
        nint function = ((CudaKernel)loaded).FunctionPtr;
        if (Registers > 0)
        {
            int registers = 0;
            Check(((delegate* unmanaged<int*, int, nint, int>)Driver("cuFuncGetAttribute"))(&registers, NumRegisters, function), "number of registers");
            if (registers != Registers)
            {
                throw new NotSupportedException($"the driver compiled it with {registers} registers, {Registers} needed");
            }
        }

        Check(((delegate* unmanaged<nint, int, int, int>)Driver("cuFuncSetAttribute"))(function, MaxDynamicSharedBytes, SharedBytes), $"{SharedBytes} bytes of shared memory");
        return loaded;
    }

    private static nint Driver(string name) => DriverLibraries.TryGetFunction(DeviceKind.Cuda, name, out nint address)
        ? address
        : throw new NotSupportedException($"{DriverLibraries.Name(DeviceKind.Cuda)} has no {name}");

    private static void Check(int status, string what)
    {
        if (status != 0)
        {
            throw new NotSupportedException($"{what}: error {status}, {CudaAPI.CurrentAPI.GetErrorString((CudaError)status)}");
        }
    }
}

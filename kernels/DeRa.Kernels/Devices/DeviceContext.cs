using System.Reflection;
using DeRa.Kernels.Cuda;
using DeRa.Kernels.Portable;
using ILGPU;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace DeRa.Kernels;

/// <summary>
/// One opened OpenCL or CUDA device: an ILGPU context of its own (a failed kernel compile leaves a context unusable, so none is shared) and
/// its accelerator.
/// </summary>
/// <remarks>
/// Two of ILGPU 1.5.3's properties are set by reflection: PoCL before 4.0 reports no generic address space but compiles ILGPU's kernels, and
/// ILGPU compiles for at most sm_80 on newer devices. An upgrade of ILGPU must check both again; a missing property throws by name.
/// </remarks>
public sealed class DeviceContext : IDisposable
{
    private readonly Context context;

    private DeviceContext(Context context, Accelerator accelerator, DeviceDescription description)
    {
        this.context = context;
        Accelerator = accelerator;
        Description = description;
    }

    /// <summary>The device as people know it.</summary>
    public DeviceDescription Description { get; }

    /// <summary>ILGPU's device.</summary>
    public Accelerator Accelerator { get; }

    /// <summary>Whether the device is a processor: one work-item then does best with a range of its own and SIMD inside.</summary>
    public bool IsProcessor => Accelerator is CLAccelerator { DeviceType: var type } && IsProcessorType(type);

    /// <summary>Opens device <paramref name="index"/> of a family, counted over every device found, usable or not.</summary>
    /// <exception cref="DeviceException">There is no such device or the driver refuses it.</exception>
    public static DeviceContext Open(DeviceKind kind, int index)
    {
        if (kind == DeviceKind.Cpu)
        {
            throw new ArgumentOutOfRangeException(nameof(kind), kind, "the processor needs no device context");
        }

        Context context = CreateContext(builder => AddDevices(builder, kind));
        try
        {
            Device[] devices = [.. context.Devices];
            if (index < 0 || index >= devices.Length)
            {
                throw new DeviceException($"device {index} of {kind} was asked for; {devices.Length} found");
            }

            DeviceDescription description = Describe(devices[index], index);
            return new DeviceContext(context, devices[index].CreateAccelerator(context), description);
        }
        catch (Exception e) when (e is not DeviceException)
        {
            context.Dispose();
            throw new DeviceException($"device {index} of {kind} cannot be opened: {e.Message}", e);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Accelerator.Dispose();
        context.Dispose();
    }

    /// <summary>
    /// No device: one group after another on threads of this process, one thread for each work-item, by the kernels' .NET bodies. Barriers hold and
    /// indices of views are asserted, so it shows what the form for GPUs computes without a GPU; far too slow for anything else.
    /// </summary>
    /// <param name="groupSize">Work-items of a group.</param>
    internal static DeviceContext Emulate(int groupSize)
    {
        Context context = CreateContext(builder => builder.CPU(new CPUDevice(groupSize, 1, 1)));
        var description = new DeviceDescription(DeviceKind.OpenCl, 0, "ILGPU's emulation", $"groups of {groupSize} threads", 0);
        return new DeviceContext(context, context.CreateCPUAccelerator(0, CPUAcceleratorMode.Parallel), description);
    }

    /// <summary>The same with warps of 32: the .NET bodies of warp-wide instructions need them.</summary>
    /// <param name="warps">Warps of the largest group, a power of two.</param>
    internal static DeviceContext EmulateWarps(int warps = 8)
    {
        Context context = CreateContext(builder => builder.CPU(new CPUDevice(32, warps, 1)));
        var description = new DeviceDescription(DeviceKind.Cuda, 0, "ILGPU's emulation", "groups of warps of 32 threads", 0);
        return new DeviceContext(context, context.CreateCPUAccelerator(0, CPUAcceleratorMode.Parallel), description);
    }

    /// <summary>A context with the settings every kernel here relies on.</summary>
    internal static Context CreateContext(Action<Context.Builder> addDevices)
    {
        DriverLibraries.Register();
        Context context = Context.Create(builder =>
        {
            addDevices(builder);
            builder.Optimize(OptimizationLevel.O2); // below O2 inline PTX goes through local memory
            builder.EnableAlgorithms(); // PTX has no exp or log without it
        });
        PortableKernelSet.RegisterIntrinsics(context); // before an accelerator is made, which takes them over
        return context;
    }

    /// <summary>Every device of a family in the driver's order, each with the reason why it cannot be used, or null.</summary>
    internal static IReadOnlyList<(DeviceDescription Description, bool IsGpu, string? Unusable)> Enumerate(DeviceKind kind)
    {
        DriverLibraries.Register();
        return kind == DeviceKind.Cuda
            ? [.. CudaDevice.GetDevices(_ => true).Cast<CudaDevice>().Select((d, i) => (Describe(d, i), true, WhyUnusable(d)))]
            : [.. CLDevice.GetDevices(AcceptPocl).Cast<CLDevice>().Select((d, i) =>
                (Describe(d, i), d.DeviceType.HasFlag(CLDeviceType.CL_DEVICE_TYPE_GPU), WhyUnusable(d)))];
    }

    /// <summary>For PTX, where a function of its own cannot take views as arguments; OpenCL compilers take longer that way.</summary>
    internal static void InlineEverything(Context.Builder builder) => builder.Inlining(InliningMode.Aggressive);

    /// <summary>A compiler for an architecture whose device need not be there.</summary>
    internal static PTXBackend OfflineBackend(Context context, CudaArchitecture architecture, CudaInstructionSet instructions)
    {
        var capabilities = new CudaCapabilityContext(architecture);
        Property<CudaCapabilityContext>("TargetArchitecture").SetValue(capabilities, architecture);
        return new PTXBackend(context, capabilities, architecture, instructions, nvvmAPI: null!);
    }

    private static void AddDevices(Context.Builder builder, DeviceKind kind)
    {
        if (kind == DeviceKind.Cuda)
        {
            builder.Cuda(LiftTargetCap);
            InlineEverything(builder);
        }
        else
        {
            builder.OpenCL(AcceptPocl);
        }
    }

    private static string? WhyUnusable(CLDevice device) =>
        !device.Capabilities.GenericAddressSpace ? "no generic address space (an optional feature of OpenCL C 3.0, part of 2.0)"
        : !IsProcessorType(device.DeviceType) && device.MaxNumThreadsPerGroup < 128
            ? $"work-groups of at most {device.MaxNumThreadsPerGroup}, 128 needed"
        : null;

    private static string? WhyUnusable(CudaDevice device) =>
        device.Architecture is not { } architecture ? "unknown architecture"
        : architecture < CudaArchitecture.SM_70 ? $"compute capability {architecture.Major}.{architecture.Minor}, 7.0 or newer needed"
        : device.InstructionSet is not { } instructions ? $"driver {device.DriverVersion} reports no PTX instruction set that ILGPU knows"
        : instructions < CudaInstructionSet.ISA_74 ? $"driver {device.DriverVersion} knows PTX {instructions.Major}.{instructions.Minor}, 7.4 (CUDA 11.4) or newer needed"
        : null;

    private static DeviceDescription Describe(Device device, int index) => device switch
    {
        CudaDevice cuda => new(
            DeviceKind.Cuda, index, cuda.Name.Trim(), $"CUDA driver {cuda.DriverVersion}, compute capability " +
            $"{cuda.Architecture?.Major}.{cuda.Architecture?.Minor}, {cuda.NumMultiprocessors} multiprocessors", cuda.MemorySize)
        {
            Kernels = cuda.Architecture is { } architecture ? CudaKernelSet.Describe(architecture) : "",
        },
        CLDevice cl => new(
            DeviceKind.OpenCl, index, cl.Name.Trim(), $"{cl.PlatformName.Trim()}, {cl.DeviceVersion}, {cl.NumMultiprocessors} compute units",
            cl.MemorySize)
        {
            Kernels = "Portable: all operations",
            IsProcessor = IsProcessorType(cl.DeviceType),
        },
        _ => throw new ArgumentOutOfRangeException(nameof(device), device.AcceleratorType, "neither OpenCL nor CUDA"),
    };

    private static bool IsProcessorType(CLDeviceType type) => type.HasFlag(CLDeviceType.CL_DEVICE_TYPE_CPU);

    private static bool AcceptPocl(CLDevice device)
    {
        if (device.PlatformName.Contains("Portable Computing Language", StringComparison.Ordinal) && IsProcessorType(device.DeviceType))
        {
            Property<CLCapabilityContext>("GenericAddressSpace").SetValue(device.Capabilities, true);
        }

        return true;
    }

    private static bool LiftTargetCap(CudaDevice device)
    {
        if (device.Architecture is { } architecture && device.InstructionSet is { } instructions)
        {
            Property<CudaCapabilityContext>("TargetArchitecture").SetValue(device.Capabilities, PtxTarget.For(architecture, instructions));
        }

        return true;
    }

    private static PropertyInfo Property<T>(string name) =>
        typeof(T).GetProperty(name) ?? throw new MissingMemberException($"{typeof(T).Name}.{name} is gone: check this version of ILGPU");
}

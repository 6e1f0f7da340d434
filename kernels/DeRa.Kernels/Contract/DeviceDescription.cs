namespace DeRa.Kernels;

/// <summary>The three device families a set can run on.</summary>
public enum DeviceKind
{
    /// <summary>Plain processors, no driver needed.</summary>
    Cpu,

    /// <summary>An OpenCL device.</summary>
    OpenCl,

    /// <summary>An NVIDIA device.</summary>
    Cuda,
}

/// <summary>A device as people know it.</summary>
/// <param name="Kind">Family.</param>
/// <param name="Index">Its number within the family, as in <c>--device opencl:1</c>.</param>
/// <param name="Name">The driver's or processor's name.</param>
/// <param name="Detail">Workers and instruction sets, or driver and compute capability: one line for people.</param>
/// <param name="MemoryBytes">Memory the device can address.</param>
public sealed record DeviceDescription(DeviceKind Kind, int Index, string Name, string Detail, long MemoryBytes)
{
    /// <summary>Which kernel sets compute here, and which operations of the contract each of them has, for people.</summary>
    public string Kernels { get; init; } = "";

    /// <summary>Whether the device is a processor, also where a driver offers one.</summary>
    public bool IsProcessor { get; init; } = Kind == DeviceKind.Cpu;

    /// <summary>The flag value that names this device: cpu, opencl:0, cuda:1.</summary>
    public string Id => Kind == DeviceKind.Cpu ? "cpu" : $"{(Kind == DeviceKind.Cuda ? "cuda" : "opencl")}:{Index}";
}

/// <summary>A device that is missing, unusable or out of memory; the message says which, and what was found instead.</summary>
public sealed class DeviceException : Exception
{
    /// <summary>With the facts.</summary>
    public DeviceException(string message)
        : base(message)
    {
    }

    /// <summary>With the facts and the driver's own error.</summary>
    public DeviceException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

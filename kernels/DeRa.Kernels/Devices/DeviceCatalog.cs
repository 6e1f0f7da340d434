using System.Globalization;
using DeRa.Kernels.Cpu;
using DeRa.Kernels.Cuda;
using DeRa.Kernels.Portable;

namespace DeRa.Kernels;

/// <summary>A device that was looked for.</summary>
/// <param name="Description">The device; for a missing driver its family and the library's name.</param>
/// <param name="IsUsable">Whether a kernel set can run on it.</param>
/// <param name="Reason">Why it cannot be used, or why auto passes it over; empty otherwise.</param>
/// <param name="IsAutoChoice">Whether <c>auto</c> picks it.</param>
public sealed record DeviceCandidate(DeviceDescription Description, bool IsUsable, string Reason, bool IsAutoChoice);

/// <summary>What this machine can compute on, and the choice among it.</summary>
public static class DeviceCatalog
{
    /// <summary>The processor, then every CUDA and OpenCL device found, usable or not; a family without a driver has one unusable entry.</summary>
    public static IReadOnlyList<DeviceCandidate> List()
    {
        List<(DeviceDescription Description, bool IsGpu, string? Unusable)> found =
        [
            (CpuKernelSet.Describe(Environment.ProcessorCount), false, null),
            .. Family(DeviceKind.Cuda),
            .. Family(DeviceKind.OpenCl),
        ];

        // CUDA, then a graphics processor through OpenCL, then the processor; a processor through OpenCL only loses to running on it directly.
        DeviceDescription choice = found
            .Where(f => f.Unusable is null && (f.IsGpu || f.Description.Kind == DeviceKind.Cpu))
            .OrderBy(f => f.Description.Kind switch { DeviceKind.Cuda => 0, DeviceKind.OpenCl => 1, _ => 2 })
            .First().Description;
        return [.. found.Select(f => new DeviceCandidate(
            f.Description,
            f.Unusable is null,
            f.Unusable ?? (f.Description.Kind == DeviceKind.OpenCl && !f.IsGpu ? "a processor: auto runs on it directly" : ""),
            f.Description == choice))];
    }

    /// <summary>Opens a device for computing.</summary>
    /// <param name="spec">auto, cpu, opencl, opencl:1, cuda, cuda:1; a family without a number takes its first usable device.</param>
    /// <param name="log">Receives a line: what was chosen and, for auto, why; and a line when something of the device cannot be used, as it is found out.</param>
    /// <exception cref="DeviceException">The device named cannot run, or the name is not of this form.</exception>
    public static KernelSet Open(string spec, Action<string>? log = null) => Open([spec], log)[0];

    /// <summary>Opens several devices for computing.</summary>
    /// <param name="specs">As for one; several may name the same device.</param>
    /// <param name="log">As for one, for each device.</param>
    /// <returns>A set per spec in their order, the same one for the same device. All are closed again where one cannot be opened.</returns>
    /// <exception cref="DeviceException">A device named cannot run, or a name is not of this form.</exception>
    public static IReadOnlyList<KernelSet> Open(IReadOnlyList<string> specs, Action<string>? log = null)
    {
        ArgumentNullException.ThrowIfNull(specs);
        IReadOnlyList<DeviceCandidate> candidates = List();
        (string Spec, DeviceCandidate Device)[] chosen =
            [.. specs.Select(spec => (spec, spec == "auto" ? candidates.Single(c => c.IsAutoChoice) : Named(spec, candidates)))];
        var opened = new Dictionary<string, KernelSet>();
        try
        {
            foreach ((string spec, DeviceCandidate device) in chosen.DistinctBy(choice => choice.Device.Description.Id))
            {
                opened.Add(device.Description.Id, OpenDevice(device.Description, log));
                string why = spec == "auto" ? $" (auto; {AutoReason(device, candidates)})" : "";
                log?.Invoke($"device {device.Description.Id}: {device.Description.Name}{why}");
            }
        }
        catch
        {
            foreach (KernelSet set in opened.Values)
            {
                set.Dispose();
            }

            throw;
        }

        return [.. chosen.Select(choice => opened[choice.Device.Description.Id])];
    }

    private static DeviceCandidate Named(string spec, IReadOnlyList<DeviceCandidate> candidates)
    {
        (DeviceKind kind, int? index) = Parse(spec);
        DeviceCandidate[] family = [.. candidates.Where(c => c.Description.Kind == kind)];
        DeviceCandidate? chosen = index is { } i
            ? family.FirstOrDefault(c => c.Description.Index == i)
            : family.FirstOrDefault(c => c.IsUsable) ?? family[0];
        return chosen switch
        {
            { IsUsable: true } => chosen,
            null => throw new DeviceException($"device '{spec}' was asked for, but there is none of that number. Found: {Summary(candidates)}"),
            _ => throw new DeviceException(
                $"device '{spec}' was asked for, but cannot run: {chosen.Reason}. Found: {Summary(candidates)}"),
        };
    }

    private static (DeviceKind Kind, int? Index) Parse(string spec)
    {
        string[] parts = spec.Split(':');
        DeviceKind? kind = parts[0] switch
        {
            "cpu" => DeviceKind.Cpu,
            "opencl" => DeviceKind.OpenCl,
            "cuda" => DeviceKind.Cuda,
            _ => null,
        };
        if (kind is { } k && parts.Length == 1)
        {
            return (k, null);
        }

        if (kind is { } numbered and not DeviceKind.Cpu && parts.Length == 2
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int index))
        {
            return (numbered, index);
        }

        throw new DeviceException($"device '{spec}' is not of the form auto, cpu, opencl[:number] or cuda[:number]");
    }

    private static IReadOnlyList<(DeviceDescription Description, bool IsGpu, string? Unusable)> Family(DeviceKind kind)
    {
        string title = kind == DeviceKind.Cuda ? "CUDA" : "OpenCL", library = DriverLibraries.Name(kind);
        if (!DriverLibraries.IsPresent(kind))
        {
            return [(new DeviceDescription(kind, 0, title, $"driver library {library}", 0), false, $"{title}: {library} not found")];
        }

        var devices = DeviceContext.Enumerate(kind);
        return devices.Count > 0
            ? devices
            : [(new DeviceDescription(kind, 0, title, $"driver library {library}", 0), false, $"{title}: {library} reports no device")];
    }

    private static KernelSet OpenDevice(DeviceDescription device, Action<string>? log) => device.Kind switch
    {
        DeviceKind.Cpu => new CpuKernelSet(),
        DeviceKind.Cuda => new CudaKernelSet(DeviceContext.Open(device.Kind, device.Index), log),
        _ => new PortableKernelSet(DeviceContext.Open(device.Kind, device.Index)),
    };

    private static string AutoReason(DeviceCandidate chosen, IReadOnlyList<DeviceCandidate> candidates) => chosen.Description.Kind switch
    {
        DeviceKind.Cuda => "the first usable CUDA device",
        DeviceKind.OpenCl => "no usable CUDA device; the first OpenCL GPU",
        _ => "no usable GPU: " + string.Join("; ", candidates
            .Where(c => c.Description.Kind != DeviceKind.Cpu)
            .Select(c => c.IsUsable ? $"{c.Description.Id} is {c.Reason}" : c.Reason)),
    };

    private static string Summary(IReadOnlyList<DeviceCandidate> candidates) => string.Join("; ", candidates.Select(c =>
        c.IsUsable ? $"{c.Description.Id} ({c.Description.Name})" : $"{c.Description.Id} unusable ({c.Reason})"));
}

using DeRa.Kernels;

namespace DeRa.Benchmarks;

/// <summary>The most a device does, as measured on it; what a workload reaches is a share of these.</summary>
/// <param name="ReadBytesPerSecond">Reading a working set far larger than the caches, all workers; null where it was not measured.</param>
/// <param name="FlopsPerSecond">Float32 multiply-adds on registers (two operations each), all workers; null where it was not measured.</param>
/// <param name="Method">One line: how they were measured, or why they were not.</param>
public sealed record DeviceCeilings(double? ReadBytesPerSecond, double? FlopsPerSecond, string Method)
{
    private const int Repeats = 9;

    /// <summary>Measures a device; takes a second or two.</summary>
    /// <param name="device">The device, not busy.</param>
    /// <exception cref="DeviceException">The device cannot be opened.</exception>
    public static DeviceCeilings Measure(DeviceDescription device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (!IsProcessor(device))
        {
            return new DeviceCeilings(null, null, $"{device.Id}: ceilings are measured on processors only; no shares are given");
        }

        int workers = Environment.ProcessorCount;
        return new DeviceCeilings(
            ProcessorCeilings.ReadBytesPerSecond(workers, ProcessorCeilings.WorkingSetBytes, Repeats),
            ProcessorCeilings.FlopsPerSecond(workers, Repeats),
            $"best of {Repeats}, {workers} threads: reading {ProcessorCeilings.WorkingSetBytes >> 20} MiB; float32 FMA on registers");
    }

    /// <summary>Of a second device of a run: a processor through whatever driver has the ceilings that were measured of it already.</summary>
    /// <param name="first">The run's first device, to which these ceilings belong.</param>
    /// <param name="second">The second.</param>
    /// <exception cref="DeviceException">The device cannot be opened.</exception>
    public DeviceCeilings Beside(DeviceDescription first, DeviceDescription second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        return IsProcessor(first) && IsProcessor(second) ? this : Measure(second);
    }

    /// <summary>The least time that work can take here: the longer of moving its bytes and computing its operations; null without ceilings.</summary>
    public double? FloorSeconds(Work work) =>
        ReadBytesPerSecond is { } read && FlopsPerSecond is { } flops ? Math.Max(work.Bytes / read, work.Flops / flops) : null;

    /// <summary>Which ceiling the floor comes from.</summary>
    public Bound? BoundOf(Work work) =>
        ReadBytesPerSecond is { } read && FlopsPerSecond is { } flops ? (work.Bytes / read >= work.Flops / flops ? Bound.Memory : Bound.Compute) : null;

    // An OpenCL device of processor type is the processor itself, so its ceilings are the processor's.
    private static bool IsProcessor(DeviceDescription device)
    {
        if (device.Kind != DeviceKind.OpenCl)
        {
            return device.Kind == DeviceKind.Cpu;
        }

        using DeviceContext context = DeviceContext.Open(device.Kind, device.Index);
        return context.IsProcessor;
    }
}

/// <summary>What limits a piece of work at best.</summary>
public enum Bound
{
    /// <summary>Moving its bytes.</summary>
    Memory,

    /// <summary>Its floating-point operations.</summary>
    Compute,
}

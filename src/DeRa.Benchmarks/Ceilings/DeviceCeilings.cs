using System.Globalization;
using DeRa.Kernels;

namespace DeRa.Benchmarks;

/// <summary>The most a device does, as measured on it; what a workload reaches is a share of these.</summary>
/// <param name="ReadBytesPerSecond">Reading a working set far larger than the caches, all workers; null where it was not measured.</param>
/// <param name="FlopsPerSecond">
/// Float32 multiply-adds on registers (two operations each), all workers; with tensor cores their products. Null where it was not measured.
/// </param>
/// <param name="Method">One line: how they were measured, or why they were not.</param>
public sealed record DeviceCeilings(double? ReadBytesPerSecond, double? FlopsPerSecond, string Method)
{
    private const int Repeats = 9;

    /// <summary>Whether they are the processor's own, which change while a machine does other things.</summary>
    internal bool IsProcessor { get; init; }

    /// <summary>Of a pair on two devices: none, since no figure of one device is a share of both.</summary>
    public static DeviceCeilings OfTwo(DeviceDescription first, DeviceDescription second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        return new DeviceCeilings(null, null, $"{first.Id} and {second.Id}: ceilings are of one device; no shares are given");
    }

    /// <summary>Measures a device; takes a second or two. An OpenCL device that is the processor has the processor's ceilings.</summary>
    /// <param name="device">The device, not busy.</param>
    public static DeviceCeilings Measure(DeviceDescription device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.IsProcessor ? OfProcessor() : MeasureGpu(device);
    }

    private static DeviceCeilings OfProcessor()
    {
        int workers = Environment.ProcessorCount;
        return new DeviceCeilings(
            ProcessorCeilings.ReadBytesPerSecond(workers, ProcessorCeilings.WorkingSetBytes, Repeats),
            ProcessorCeilings.FlopsPerSecond(workers, Repeats),
            $"best of {Repeats}, {workers} threads: reading {ProcessorCeilings.WorkingSetBytes >> 20} MiB; float32 FMA on registers; again before every repeat")
        {
            IsProcessor = true,
        };
    }

    private static DeviceCeilings MeasureGpu(DeviceDescription device)
    {
        try
        {
            return Probe(device);
        }
        catch (DeviceException e)
        {
            return new DeviceCeilings(null, null, $"not measured, no shares are given: {e.Message}"); // workloads can be timed all the same
        }
    }

    // Not more than a quarter of the memory: the weights come after.
    private static DeviceCeilings Probe(DeviceDescription device)
    {
        using DeviceProbe probe = DeviceProbe.Open(device);
        long workingSet = Math.Min(ProcessorCeilings.LargestWorkingSetBytes, device.MemoryBytes / 4);
        double read = probe.ReadBytesPerSecond(workingSet, Repeats), flops = probe.FlopsPerSecond(Repeats);
        double? tensor = probe.TensorFlopsPerSecond(Repeats);
        string products = tensor is null
            ? "float32 FMA on registers"
            : string.Create(CultureInfo.InvariantCulture, $"16-bit tensor-core products by mma.sync (float32 FMA: {flops / 1e12:F1} TFLOP/s)");
        return new DeviceCeilings(read, tensor ?? flops, $"best of {Repeats}: reading {workingSet >> 20} MiB; {products}");
    }

    /// <summary>Of a second device of a run: a processor through whatever driver has the ceilings that were measured of it already.</summary>
    /// <param name="first">The run's first device, to which these ceilings belong.</param>
    /// <param name="second">The second.</param>
    public DeviceCeilings Beside(DeviceDescription first, DeviceDescription second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        return first.IsProcessor && second.IsProcessor ? this : Measure(second);
    }

    /// <summary>Medians of rounds of one device.</summary>
    internal static DeviceCeilings MedianOf(IReadOnlyList<DeviceCeilings> rounds)
    {
        return rounds[0] with { ReadBytesPerSecond = Of(round => round.ReadBytesPerSecond), FlopsPerSecond = Of(round => round.FlopsPerSecond) };

        double? Of(Func<DeviceCeilings, double?> ceiling) => ceiling(rounds[0]) is null ? null : Median.Of(rounds.Select(round => ceiling(round)!.Value));
    }

    /// <summary>The least time that work can take here: the longer of moving its bytes and computing its operations; null without ceilings.</summary>
    public double? FloorSeconds(Work work) =>
        ReadBytesPerSecond is { } read && FlopsPerSecond is { } flops ? Math.Max(work.Bytes / read, work.Flops / flops) : null;

    /// <summary>Which ceiling the floor comes from.</summary>
    public Bound? BoundOf(Work work) =>
        ReadBytesPerSecond is { } read && FlopsPerSecond is { } flops ? (work.Bytes / read >= work.Flops / flops ? Bound.Memory : Bound.Compute) : null;
}

/// <summary>What limits a piece of work at best.</summary>
public enum Bound
{
    /// <summary>Moving its bytes.</summary>
    Memory,

    /// <summary>Its floating-point operations.</summary>
    Compute,
}

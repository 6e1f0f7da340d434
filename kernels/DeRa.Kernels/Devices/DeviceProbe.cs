using System.Diagnostics;
using DeRa.Kernels.Cuda;
using DeRa.Kernels.Portable;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels;

/// <summary>
/// Measures what an OpenCL or CUDA device gives at best: reading its memory, multiply-adds on registers, tensor-core products. Every figure is the best of
/// its repeats, and what the kernels computed is checked.
/// </summary>
public sealed class DeviceProbe : IDisposable
{
    private const int GroupsPerMultiprocessor = 16; // 2,048 work-items, the most that one keeps

    private readonly DeviceContext device;
    private readonly KernelLauncher launcher;
    private readonly MemoryBuffer1D<float, Stride1D.Dense> results;
    private readonly int groupSize, groups;
    private readonly double leastSeconds;

    /// <summary>Takes over an opened device.</summary>
    /// <param name="device">Disposed of with the probe.</param>
    /// <param name="groupSize">Work-items of a group.</param>
    /// <param name="leastSeconds">A launch that is shorter is made longer before it is measured.</param>
    internal DeviceProbe(DeviceContext device, int groupSize = Team.Size, double leastSeconds = 0.02)
    {
        this.device = device;
        this.groupSize = groupSize;
        this.leastSeconds = leastSeconds;
        groups = GroupsPerMultiprocessor * Math.Max(1, device.Accelerator.NumMultiprocessors);
        launcher = new KernelLauncher(device);
        results = device.Accelerator.Allocate1D<float>(Items);
    }

    private long Items => (long)groups * groupSize;

    /// <summary>Opens a device that is no processor.</summary>
    /// <exception cref="DeviceException">It cannot be opened.</exception>
    public static DeviceProbe Open(DeviceDescription device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return new DeviceProbe(DeviceContext.Open(device.Kind, device.Index));
    }

    /// <summary>Bytes read per second from a working set of at most <paramref name="mostBytes"/>, rounded down to what the device reads in whole steps.</summary>
    /// <exception cref="DeviceException">The device lacks the memory, or adds up wrongly.</exception>
    public double ReadBytesPerSecond(long mostBytes, int repeats)
    {
        long step = ReadProbeKernel.PerStep * Items, count = Math.Max(1, mostBytes / sizeof(float) / step) * step;
        using MemoryBuffer1D<float, Stride1D.Dense> memory = Allocate(count);
        var args = new ReadProbeArgs
        {
            Data = memory.View.Cast<float, ushort>().BaseView,
            Floats = memory.View.BaseView,
            Count = count,
            Sums = results.View.BaseView,
        };
        launcher.Launch(ReadProbeKernel.Fill, groups, groupSize, args);
        int passes = 1;
        double best = Best(repeats, ref passes, n =>
        {
            for (int i = 0; i < n; i++)
            {
                launcher.Launch(ReadProbeKernel.Run, groups, groupSize, args);
            }
        });
        Check(nameof(ReadProbeKernel), (float)(count / Items));
        return (double)sizeof(float) * count * passes / best;
    }

    /// <summary>Float32 operations per second on registers, a multiply-add counted as two.</summary>
    /// <exception cref="DeviceException">The device computes wrongly.</exception>
    public double FlopsPerSecond(int repeats)
    {
        int rounds = 64;
        double best = Best(repeats, ref rounds, n => launcher.Launch(
            FmaProbeKernel.Run, groups, groupSize, new FmaProbeArgs { Half = 0.5f, Rounds = n, Sums = results.View.BaseView }));
        Check(nameof(FmaProbeKernel), FmaProbeKernel.Expected);
        return 2.0 * FmaProbeKernel.PerRound * rounds * Items / best;
    }

    /// <summary>Operations per second of binary16 products with float32 sums on tensor cores, as mma.sync gets them; null where there are none.</summary>
    /// <exception cref="DeviceException">The device computes wrongly.</exception>
    public double? TensorFlopsPerSecond(int repeats) =>
        device.Accelerator is CudaAccelerator { Architecture: var architecture } && architecture >= CudaArchitecture.SM_75
            ? TensorRate(repeats)
            : null;

    /// <summary>The same, wherever warps are 32 wide: for emulation.</summary>
    internal double TensorRate(int repeats)
    {
        int rounds = 2;
        double best = Best(repeats, ref rounds, n => launcher.Launch(
            TensorProbeKernel.Run, groups, groupSize, new TensorProbeArgs { Ones = 0x3C003C00, Rounds = n, Results = results.View.BaseView }));
        Check(nameof(TensorProbeKernel), (float)TensorProbeKernel.ExpectedPerRound * rounds);
        return (double)TensorProbeKernel.FlopsPerRound * rounds * Items / 32 / best;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        results.Dispose();
        launcher.Dispose();
        device.Dispose();
    }

    private MemoryBuffer1D<float, Stride1D.Dense> Allocate(long count)
    {
        try
        {
            return device.Accelerator.Allocate1D<float>(count);
        }
        catch (Exception e) when (e is AcceleratorException or OutOfMemoryException)
        {
            throw new DeviceException($"{device.Description.Id}: {sizeof(float) * count} bytes for measuring its memory: {e.Message}", e);
        }
    }

    // Seconds of the fastest run; the size grows until one run is long beside a launch.
    private double Best(int repeats, ref int size, Action<int> run)
    {
        const int MostRounds = 1 << 18; // sums of ones stay exact in float32
        while (Seconds(size, run) < leastSeconds && size < MostRounds)
        {
            size *= 2;
        }

        double best = double.PositiveInfinity;
        for (int i = 0; i < repeats; i++)
        {
            best = Math.Min(best, Seconds(size, run));
        }

        return best;
    }

    private double Seconds(int size, Action<int> run)
    {
        launcher.Synchronize();
        long start = Stopwatch.GetTimestamp();
        run(size);
        launcher.Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private void Check(string kernel, float expected)
    {
        foreach (float result in results.GetAsArray1D())
        {
            if (result != expected)
            {
                throw new DeviceException($"{device.Description.Id} ({device.Description.Name}): {kernel} computed {result}, expected {expected}");
            }
        }
    }
}

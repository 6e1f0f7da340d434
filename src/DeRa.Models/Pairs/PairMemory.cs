using System.Globalization;
using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>What a pair takes on each of its devices, known before anything is loaded; and what to do where that is too much.</summary>
public sealed class PairMemory
{
    private readonly PairDevices devices;
    private readonly Checkpoint reference;
    private readonly Checkpoint? aligned;
    private readonly SharedTensors? shared;
    private readonly DType? weightType;

    internal PairMemory(PairDevices devices, Checkpoint reference, Checkpoint? aligned, SharedTensors? shared, DType? weightType)
    {
        (this.devices, this.reference, this.aligned, this.shared, this.weightType) = (devices, reference, aligned, shared, weightType);
        Estimates = Estimate(devices, weightType);
    }

    /// <summary>An estimate for each of <see cref="PairDevices.Sets"/>.</summary>
    public IReadOnlyList<MemoryEstimate> Estimates { get; }

    /// <summary>Bytes of weights on all devices.</summary>
    public long WeightBytes => Estimates.Sum(estimate => estimate.WeightBytes);

    /// <summary>Blocks that both models' caches can have at a capacity otherwise given; negative where even the rest does not fit.</summary>
    /// <param name="capacity">Its blocks are not read.</param>
    /// <param name="share">Share of a device's memory to use, by the device.</param>
    public long BlocksThatFit(StepCapacity capacity, Func<DeviceDescription, double> share)
    {
        ArgumentNullException.ThrowIfNull(share);
        return devices.Sets.Zip(Estimates, (set, estimate) =>
            (long)Math.Floor((Usable(set, share(set.Device)) - Total(set, estimate, capacity with { CacheBlocks = 0 })) / (double)estimate.BytesPerBlock)).Min();
    }

    /// <summary>Requires that weights, caches and activations fit.</summary>
    /// <param name="capacity">What is to be allocated; nothing by default, which asks for the weights alone.</param>
    /// <param name="share">
    /// Share of a device's memory to use, by the device. All of it by default, and then weights that the processor maps from their files do not count.
    /// </param>
    /// <exception cref="DeviceException">They do not; the message has the estimate, the device's memory and what would fit.</exception>
    public void Require(StepCapacity capacity = default, Func<DeviceDescription, double>? share = null)
    {
        foreach ((KernelSet set, MemoryEstimate estimate) in devices.Sets.Zip(Estimates))
        {
            double use = share?.Invoke(set.Device) ?? 1;
            bool isMapped = share is null && weightType is null && set.Device.Kind == DeviceKind.Cpu;
            long needed = Total(set, estimate, capacity) - (isMapped ? estimate.WeightBytes : 0);
            if (needed > Usable(set, use)) throw new DeviceException(Message(set, estimate, capacity, use));
        }
    }

    private MemoryEstimate[] Estimate(PairDevices on, DType? type)
    {
        MemoryEstimate[] estimates = aligned is null || !on.AreTwo
            ? [MemoryEstimate.Of(reference, aligned, shared, type, on.Reference)]
            :
            [
                MemoryEstimate.OfOneSide(reference, aligned, on.Head == on.Reference, shared, type, on.Reference),
                MemoryEstimate.OfOneSide(aligned, reference, on.Head == on.Aligned, shared, type, on.Aligned),
            ];
        return estimates.Length == 2
            ? [WithCaches(on.Reference, estimates[0], type, reference), WithCaches(on.Aligned, estimates[1], type, aligned!)]
            : [WithCaches(on.Reference, estimates[0], type, aligned is null ? [reference] : [reference, aligned])];
    }

    // In the types that the device stores keys and values in.
    private static MemoryEstimate WithCaches(KernelSet set, MemoryEstimate estimate, DType? type, params Checkpoint[] models) => estimate with
    {
        CacheTypes = [.. models.Select(model => set.CacheType(model.Config.HeadDim, type ?? model.Weights.Embedding.DType))],
    };

    private static long Total(KernelSet set, MemoryEstimate estimate, StepCapacity capacity) => estimate.TotalBytes(capacity) + estimate.ScratchBytes(set, capacity);

    private static long Usable(KernelSet set, double share) => Math.Min((long)(set.Device.MemoryBytes * share), set.FreeBytes);

    private string Message(KernelSet set, MemoryEstimate estimate, StepCapacity capacity, double share)
    {
        DeviceDescription device = set.Device;
        long usable = Usable(set, share);
        string what = capacity.CacheBlocks == 0
            ? $"the weights take {Size(estimate.WeightBytes)}"
            : $"the models take {Size(Total(set, estimate, capacity))}: {Size(estimate.WeightBytes)} of weights, "
                + $"{Size(capacity.CacheBlocks * estimate.BytesPerBlock)} of caches for {(long)capacity.CacheBlocks * KvCache.BlockSize} positions, "
                + $"{Size(estimate.ActivationBytes(capacity) + estimate.ScratchBytes(set, capacity))} of activations and scratch";
        string has = $"the device has {Size(device.MemoryBytes)}{(Size(usable) != Size(device.MemoryBytes) ? $", {Size(usable)} of it to use" : "")}";
        string[] fits = [.. Smaller(set, capacity, share, usable)];
        return $"{device.Id} ({device.Name}): {what}; {has}. What would fit{(capacity.CacheBlocks == 0 ? ", caches left out" : "")}: "
            + (fits.Length == 0 ? $"none of these models{(device.Kind == DeviceKind.Cpu ? "" : "; --device cpu maps them from their files")}" : string.Join("; ", fits));
    }

    private IEnumerable<string> Smaller(KernelSet set, StepCapacity capacity, double share, long usable)
    {
        long blocks = BlocksThatFit(capacity, device => device == set.Device ? share : 1);
        if (blocks > 0 && capacity.CacheBlocks > 0) yield return $"caches of {blocks * KvCache.BlockSize} positions";
        if (weightType is null or DType.F32)
        {
            // Of what lies on this device, with the type that takes half of float32.
            long half = Total(set, Estimate(devices, DType.BF16)[set == devices.Reference ? 0 : 1], capacity);
            if (half <= usable) yield return $"--dtype bf16: {Size(half)}";
        }

        if (aligned is not null && !devices.AreTwo)
        {
            MemoryEstimate[] apart =
            [
                WithCaches(set, MemoryEstimate.OfOneSide(reference, aligned, hasHead: false, shared, weightType, set), weightType, reference),
                WithCaches(set, MemoryEstimate.OfOneSide(aligned, reference, hasHead: true, shared, weightType, set), weightType, aligned),
            ];
            long[] bytes = [.. apart.Select(side => Total(set, side, capacity))];
            if (bytes.Max() <= usable) yield return $"--reference-device and --aligned-device, two devices like this: {Size(bytes[0])} and {Size(bytes[1])}";
            long alone = Total(set, WithCaches(set, MemoryEstimate.Of(reference, weightType: weightType, kernels: set), weightType, reference), capacity);
            if (alone <= usable) yield return $"the reference alone: {Size(alone)}";
        }
    }

    private static string Size(long bytes) => bytes switch
    {
        < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes"),
        < 1 << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):F1} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):F2} GiB"),
    };
}

using DeRa.Checkpoints;
using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Engine.Execution;

/// <summary>How many blocks the pools get: what the options say, or what the device's memory leaves.</summary>
internal static class CacheSize
{
    /// <summary>
    /// Share of a device's memory to take where nothing is said. A processor's is shared with everything else on the machine; a graphics card's driver
    /// and fragmentation take some of its own.
    /// </summary>
    public static double DefaultShare(DeviceKind kind) => kind == DeviceKind.Cpu ? 0.5 : 0.85;

    /// <exception cref="DeviceException">Nothing is left for the caches.</exception>
    public static int Blocks(EngineOptions options, ModelPair pair, DeviceDescription device)
    {
        if (options.CachePositions is int positions)
        {
            return KvCache.BlocksFor(positions);
        }

        double share = options.DeviceMemoryShare ?? DefaultShare(device.Kind);
        long beside = pair.Memory.WeightBytes + pair.Memory.StepBytes(Capacity(options, 0)), left = (long)(device.MemoryBytes * share) - beside;
        if (left < pair.Memory.BytesPerBlock)
        {
            throw new DeviceException(
                $"{device.Id}: {share:P0} of its {device.MemoryBytes} bytes of memory leave no room for caches beside {beside} bytes of weights and activations; " +
                "give CachePositions or a larger DeviceMemoryShare");
        }

        // More than every sequence at its longest is never used.
        long longest = Math.Min(Longest(pair.Reference.Config), Longest(pair.Aligned.Config));
        return (int)Math.Min(left / pair.Memory.BytesPerBlock, options.MaxSequences * (longest / KvCache.BlockSize));
    }

    /// <summary>What a step may take: every row that draws beside every position that is scored.</summary>
    public static StepCapacity Capacity(EngineOptions options, int cacheBlocks) =>
        new(options.MaxBatchTokens, options.MaxSequences + options.MaxBatchTokens, cacheBlocks);

    private static long Longest(ModelConfig config) => Math.Max(KvCache.BlockSize, config.MaxPositionEmbeddings);
}

using DeRa.Checkpoints;
using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Engine.Execution;

/// <summary>What an engine allocates: its caches are as large as the options say, or as the devices' memory leaves.</summary>
internal static class CacheSize
{
    /// <summary>
    /// Share of a device's memory to take where nothing is said. A processor's is shared with everything else on the machine; a graphics card's driver
    /// and fragmentation take some of its own.
    /// </summary>
    public static double DefaultShare(DeviceKind kind) => kind == DeviceKind.Cpu ? 0.5 : 0.85;

    /// <summary>The capacity for a pair that is about to be loaded.</summary>
    /// <exception cref="DeviceException">It does not fit, or nothing is left for caches; the message says what would fit.</exception>
    public static StepCapacity Plan(EngineOptions options, PairMemory memory)
    {
        // Every row that draws beside every position that is scored.
        var capacity = new StepCapacity(options.MaxBatchTokens, options.MaxSequences + options.MaxBatchTokens, CacheBlocks: 1);
        if (options.CachePositions is int positions)
        {
            capacity = capacity with { CacheBlocks = KvCache.BlocksFor(positions) };
            memory.Require(capacity);
            return capacity;
        }

        double Share(DeviceDescription device) => options.DeviceMemoryShare ?? DefaultShare(device.Kind);
        try
        {
            memory.Require(capacity, Share);
        }
        catch (DeviceException exception)
        {
            throw new DeviceException($"{exception.Message}; or give CachePositions or a larger DeviceMemoryShare", exception);
        }

        // More than every sequence at its longest is never used.
        long longest = memory.Estimates.SelectMany(estimate => estimate.Models).Min(Longest);
        long blocks = Math.Min(memory.BlocksThatFit(capacity, Share), options.MaxSequences * (longest / KvCache.BlockSize));
        return capacity with { CacheBlocks = (int)Math.Clamp(blocks, 1, int.MaxValue / KvCache.BlockSize) };
    }

    private static long Longest(ModelConfig config) => Math.Max(KvCache.BlockSize, config.MaxPositionEmbeddings);
}

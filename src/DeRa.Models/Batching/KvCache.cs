using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// The paged key-value pools of one model: per layer two buffers [blocks, kvHeads, <see cref="BlockSize"/>, headDim] of float32, or of the 16-bit type
/// that the kernel set stores beside the model's weights (<see cref="KernelSet.CacheType"/>). Both models of
/// a pair have caches with the same number of blocks, so one block table serves both.
/// </summary>
/// <remarks>A buffer per layer rather than one for all: OpenCL devices limit a single allocation to a fraction of their memory.</remarks>
public sealed class KvCache : IDisposable
{
    /// <summary>Positions per block: 16 keep the waste of a sequence's last block small and a block's keys of one head contiguous.</summary>
    public const int BlockSize = 16;

    private readonly KvLayer[] layers;

    /// <summary>Allocates <paramref name="numBlocks"/> blocks for every layer of a model.</summary>
    /// <param name="kernels">Where the cache lies.</param>
    /// <param name="config">The model.</param>
    /// <param name="numBlocks">Blocks of each layer.</param>
    /// <param name="type">Element type, one that the kernel set stores.</param>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public KvCache(KernelSet kernels, ModelConfig config, int numBlocks, DType type = DType.F32)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(numBlocks);

        // Slots are 32-bit: block · blockSize + offset.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(numBlocks, int.MaxValue / BlockSize);
        NumBlocks = numBlocks;
        layers = new KvLayer[config.NumLayers];
        long bytes = numBlocks * BytesPerLayerAndBlock(config, type) / 2;
        try
        {
            for (int i = 0; i < layers.Length; i++)
            {
                layers[i] = new KvLayer(
                    kernels.Allocate(bytes), null!, 0, numBlocks, BlockSize, config.NumKvHeads, config.HeadDim, type);
                layers[i] = layers[i] with { Values = kernels.Allocate(bytes) };
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Blocks in the pool of every layer.</summary>
    public int NumBlocks { get; }

    /// <summary>One layer's pools.</summary>
    public KvLayer this[int layer] => layers[layer];

    /// <summary>Blocks that hold <paramref name="positions"/> positions.</summary>
    public static int BlocksFor(int positions) => (int)(((long)positions + BlockSize - 1) / BlockSize);

    /// <summary>Bytes of one block over all layers: layers · 2 · kvHeads · <see cref="BlockSize"/> · headDim · bytes of an element.</summary>
    public static long BytesPerBlock(ModelConfig config, DType type = DType.F32)
    {
        ArgumentNullException.ThrowIfNull(config);
        return config.NumLayers * BytesPerLayerAndBlock(config, type);
    }

    /// <summary>Enqueues a copy of one block's keys and values in every layer: a block is one row of a pool, so it is a <see cref="KernelSet.Gather"/>.</summary>
    /// <param name="kernels">The set that the pools are in.</param>
    /// <param name="first">One integer on the device: 0.</param>
    /// <param name="from">The block to copy.</param>
    /// <param name="to">Another block, overwritten.</param>
    public void EnqueueCopy(KernelSet kernels, IntVector first, int from, int to)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)from, (uint)NumBlocks, nameof(from));
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)to, (uint)NumBlocks, nameof(to));
        foreach (KvLayer layer in layers)
        {
            int width = layer.NumKvHeads * layer.BlockSize * layer.HeadDim;
            kernels.Gather(Row(layer.Keys, from), first, Row(layer.Keys, to));
            kernels.Gather(Row(layer.Values, from), first, Row(layer.Values, to));

            Matrix Row(DeviceBuffer pool, int block) => new(pool, layer.Offset + ((long)block * width), 1, width, width);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (KvLayer layer in layers)
        {
            layer.Keys?.Dispose();
            layer.Values?.Dispose();
        }
    }

    private static long BytesPerLayerAndBlock(ModelConfig config, DType type) =>
        2L * config.NumKvHeads * BlockSize * config.HeadDim * type.Size();
}

using DeRa.Kernels.Portable;

namespace DeRa.Kernels.Cuda;

public sealed partial class CudaKernelSet
{
    private const int WidestHead = 256, NoWindow = 1 << 30;

    /// <inheritdoc />
    public override DType CacheType(int headDim, DType weights) =>
        HasTensorCores(weights) && headDim % Fragments.Load == 0 && headDim <= WidestHead ? weights : DType.F32;

    /// <inheritdoc />
    private protected override Action<RopeArgs> RopeKernelFor(DType cache) => cache switch
    {
        DType.BF16 => RopeKernel<TensorCache<TensorBFloat16>>.Run,
        DType.F16 => RopeKernel<TensorCache<TensorFloat16>>.Run,
        _ => base.RopeKernelFor(cache),
    };

    /// <inheritdoc />
    protected override void EnqueuePagedAttention(
        Matrix qkv, QkvLayout layout, KvLayer cache, DeviceBatch batch, AttentionOptions options, Matrix output)
    {
        if (cache.Type == DType.F32)
        {
            base.EnqueuePagedAttention(qkv, layout, cache, batch, options, output);
            return;
        }

        if (batch.TokenCount == 0)
        {
            return;
        }

        Guard.Equal(layout.NumHeads % layout.NumKvHeads, 0, "query heads past a whole number for each key-value head");
        int groupHeads = layout.NumHeads / layout.NumKvHeads, tokens = Math.Max(1, FlashArgs.TileRows / groupHeads);
        int kvCells = layout.NumKvHeads * (int)Tiles(groupHeads, FlashArgs.TileRows);
        long cells = (batch.TokenCount / tokens + batch.SequenceCount) * (long)kvCells;

        (Action<FlashArgs> kernel, int groupSize) = cache.Type == DType.BF16
            ? FlashKernelFor<TensorBFloat16>(layout.HeadDim)
            : FlashKernelFor<TensorFloat16>(layout.HeadDim);
        int warps = groupSize / EmulatedWarp.Size;

        // Chunks are shared out where the tiles alone leave multiprocessors idle; a multiprocessor takes several warps.
        int chunks = (int)Tiles(batch.MaxContext, Slab.Positions);
        long wanted = Math.Clamp(8L * Multiprocessors / (cells * warps), 1, chunks);
        int perShare = (int)Tiles(chunks, wanted), shares = (int)Tiles(chunks, perShare);
        long partials = shares == 1 ? 0 : cells * shares * perShare * warps * FlashPartial.Floats * EmulatedWarp.Size;
        AttentionArgs attention = Arguments(qkv, layout, cache, batch, options, output);
        attention.Window = Math.Min(attention.Window, NoWindow);
        LaunchInOrder(
            kernel,
            cells * shares,
            new FlashArgs
            {
                Attention = attention,
                QueryStarts = View(batch.QueryStarts),
                Sequences = batch.SequenceCount,
                GroupHeads = groupHeads,
                TileTokens = tokens,
                KvCells = kvCells,
                Shares = shares,
                ChunksPerShare = perShare,
                Partials = (partials == 0 ? None : Scratch("attention partials", partials * sizeof(float))).As<float>(),
                Counters = (partials == 0 ? None : Scratch("attention arrivals", cells * sizeof(int))).As<int>(),
            },
            groupSize);
    }

    private static (Action<FlashArgs> Kernel, int GroupSize) FlashKernelFor<TFormat>(int headDim)
        where TFormat : struct, ITensorFormat => headDim switch
        {
            <= 64 => (FlashAttentionKernel<TFormat, Head64>.Run, FlashAttentionKernel<TFormat, Head64>.GroupSize),
            <= 128 => (FlashAttentionKernel<TFormat, Head128>.Run, FlashAttentionKernel<TFormat, Head128>.GroupSize),
            _ => (FlashAttentionKernel<TFormat, Head256>.Run, FlashAttentionKernel<TFormat, Head256>.GroupSize),
        };
}

/// <summary>A 16-bit cache.</summary>
internal readonly struct TensorCache<TFormat> : ICacheFormat
    where TFormat : struct, ITensorFormat
{
    public static void StoreKey(CacheView cache, long at, float value) => cache.KeyUnits[at] = (ushort)TFormat.Pair(value, 0f);

    public static void StoreValue(CacheView cache, long at, float value) => cache.ValueUnits[at] = (ushort)TFormat.Pair(value, 0f);
}

using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// Per token and head: normalise (optional), rotate (optional), queries in place, keys and values into the token's cache slot. Bound: bytes of
/// the packed projections. One group per token and query or key-value head; the latter's group also copies the value.
/// </summary>
internal static class RopeKernel<TCache>
    where TCache : struct, ICacheFormat
{
    public static void Run(RopeArgs args)
    {
        ArrayView<float> scratch = SharedMemory.Allocate<float>(Team.Size);
        int heads = args.Layout.NumHeads + args.Layout.NumKvHeads, dim = args.Layout.HeadDim;
        int token = Grid.IdxX / heads, head = Grid.IdxX % heads;
        bool isKey = head >= args.Layout.NumHeads;
        int kvHead = head - args.Layout.NumHeads;
        ArrayView<float> qkv = args.Qkv.Data;
        long row = args.Qkv.Row(token);
        long from = row + (isKey
            ? args.Layout.KOffset + (long)kvHead * args.Layout.KHeadStride
            : args.Layout.QOffset + (long)head * args.Layout.QHeadStride);
        float scale = 1f;
        if (args.HasHeadNorm != 0)
        {
            float squares = Team.Sum<CooperativeForm>(scratch, RowSum.Squares(qkv, from, dim, 0f));
            scale = 1f / MathF.Sqrt(squares / dim + args.Epsilon);
        }

        int slot = args.Slots.At(token);
        long cell = args.Cache.Cell(slot / args.Cache.BlockSize, kvHead) + (long)(slot % args.Cache.BlockSize) * dim;
        int half = args.HalfRotary;
        for (int i = Group.IdxX; i < dim - half; i += Group.DimX)
        {
            // Below half: the pair (i, i + half). From half on: element i + half, which no rotation touches.
            int upper = i + half;
            float b = Normalised(args, qkv[from + upper], isKey, upper, scale);
            if (i < half)
            {
                float a = Normalised(args, qkv[from + i], isKey, i, scale);
                float cos = args.Cos.Data[args.Cos.Row(token) + i], sin = args.Sin.Data[args.Sin.Row(token) + i];
                Store(args, isKey, from, cell, i, a * cos - b * sin);
                b = b * cos + a * sin;
            }

            Store(args, isKey, from, cell, upper, b);
        }

        if (isKey)
        {
            long value = row + args.Layout.VOffset + (long)kvHead * args.Layout.VHeadStride;
            for (int i = Group.IdxX; i < dim; i += Group.DimX)
            {
                TCache.StoreValue(args.Cache, cell + i, qkv[value + i]);
            }
        }
    }

    private static float Normalised(RopeArgs args, float x, bool isKey, int i, float scale) => args.HasHeadNorm == 0
        ? x
        : x * scale * (isKey ? args.KeyGain.At(i) : args.QueryGain.At(i));

    private static void Store(RopeArgs args, bool isKey, long from, long cell, int i, float value)
    {
        if (isKey)
        {
            TCache.StoreKey(args.Cache, cell + i, value);
        }
        else
        {
            args.Qkv.Data[from + i] = value;
        }
    }
}

/// <summary>An element type of the cache as a compile-time parameter.</summary>
internal interface ICacheFormat
{
    /// <summary>Writes element <paramref name="at"/> of the keys.</summary>
    static abstract void StoreKey(CacheView cache, long at, float value);

    /// <summary>Writes element <paramref name="at"/> of the values.</summary>
    static abstract void StoreValue(CacheView cache, long at, float value);
}

/// <summary>A float32 cache.</summary>
internal readonly struct Float32Cache : ICacheFormat
{
    public static void StoreKey(CacheView cache, long at, float value) => cache.Keys[at] = value;

    public static void StoreValue(CacheView cache, long at, float value) => cache.Values[at] = value;
}

/// <summary>Arguments of <see cref="RopeKernel{TCache}"/>.</summary>
internal struct RopeArgs
{
    public MatrixView Qkv;
    public QkvLayout Layout;
    public MatrixView Cos;
    public MatrixView Sin;
    public int HalfRotary;
    public int HasHeadNorm;
    public WeightView QueryGain;
    public WeightView KeyGain;
    public float Epsilon;
    public CacheView Cache;
    public IntView Slots;
}

/// <summary>A <see cref="KvLayer"/> as a kernel sees it.</summary>
internal struct CacheView
{
    public ArrayView<float> Keys;
    public ArrayView<float> Values;

    /// <summary>The same memory in 16-bit units, as projections address weights.</summary>
    public ArrayView<ushort> KeyUnits;

    /// <summary>The same memory in 16-bit units.</summary>
    public ArrayView<ushort> ValueUnits;
    public long Offset;
    public int BlockSize;
    public int NumKvHeads;
    public int HeadDim;

    /// <summary>First float of (block, kvHead): BlockSize positions of HeadDim floats.</summary>
    public readonly long Cell(int block, int kvHead) => Offset + ((long)block * NumKvHeads + kvHead) * BlockSize * HeadDim;
}

public partial class PortableKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueRopeAndStoreKv(
        Matrix qkv, QkvLayout layout, RopeTable? rope, HeadNorm? headNorm, KvLayer cache, DeviceBatch batch) =>
        LaunchInOrder(RopeKernelFor(cache.Type), (long)qkv.Rows * (layout.NumHeads + layout.NumKvHeads), new RopeArgs
        {
            Qkv = View(qkv),
            Layout = layout,
            Cos = View(rope?.Cos ?? qkv),
            Sin = View(rope?.Sin ?? qkv),
            HalfRotary = rope is { } r ? r.RotaryDim / 2 : 0,
            HasHeadNorm = headNorm is null ? 0 : 1,
            QueryGain = View(headNorm?.QueryGain),
            KeyGain = View(headNorm?.KeyGain),
            Epsilon = headNorm?.Epsilon ?? 0,
            Cache = View(cache),
            Slots = View(batch.SlotMapping),
        });

    /// <summary>The kernel that stores in a type.</summary>
    private protected virtual Action<RopeArgs> RopeKernelFor(DType cache) => RopeKernel<Float32Cache>.Run;

    private protected CacheView View(KvLayer cache) => new()
    {
        Keys = Own(cache.Keys).As<float>(),
        Values = Own(cache.Values).As<float>(),
        KeyUnits = Own(cache.Keys).As<ushort>(),
        ValueUnits = Own(cache.Values).As<ushort>(),
        Offset = cache.Offset,
        BlockSize = cache.BlockSize,
        NumKvHeads = cache.NumKvHeads,
        HeadDim = cache.HeadDim,
    };
}

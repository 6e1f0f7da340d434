using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// Per token and head: normalise (optional), rotate pairs (i, i + rotaryDim/2) (optional), leave queries in place and write keys and values to the
/// token's cache slot. Workers take (token, head) pairs, query heads first.
/// </summary>
internal unsafe struct RopeAndStoreKvOperation : IRowOperation<RopeAndStoreKvOperation>
{
    public float* Qkv;
    public int QkvStride;
    public int Tokens;
    public QkvLayout Layout;
    public float* Cos;
    public float* Sin;
    public int CosStride;
    public int SinStride;
    public int HalfRotary; // 0 without rotation
    public WeightVector QueryGain;
    public WeightVector KeyGain;
    public float Epsilon;
    public float* Keys;
    public float* Values;
    public int BlockSize;
    public int* SlotMapping;

    public static void Run(RopeAndStoreKvOperation* self, Worker* worker)
    {
        int heads = self->Layout.NumHeads + self->Layout.NumKvHeads;
        while (worker->Take((long)self->Tokens * heads, out long from, out long to))
        {
            self->Heads(from, to);
        }
    }

    public static int CountRows(RopeAndStoreKvOperation* self) => self->Tokens;

    public static int Describe(RopeAndStoreKvOperation* self, Span<RowBlock> blocks)
    {
        blocks[0] = new RowBlock(self->Qkv, self->QkvStride, self->QkvStride); // caches are written for attention, which is no operation of rows
        return 1;
    }

    public static void RunRows(RopeAndStoreKvOperation* self, Worker* worker, int from, int to)
    {
        long heads = self->Layout.NumHeads + self->Layout.NumKvHeads;
        self->Heads(from * heads, to * heads);
    }

    /// <summary>The heads from … to of all tokens' heads.</summary>
    private readonly void Heads(long from, long to)
    {
        int heads = Layout.NumHeads + Layout.NumKvHeads;
        for (long unit = from; unit < to; unit++)
        {
            long token = unit / heads;
            int head = (int)(unit % heads);
            if (head < Layout.NumHeads)
            {
                Query(token, head);
            }
            else
            {
                KeyAndValue(token, head - Layout.NumHeads);
            }
        }
    }

    private readonly void Query(long token, int head) =>
        NormaliseAndRotate(token, Qkv + token * QkvStride + Layout.QOffset + head * Layout.QHeadStride, QueryGain);

    private readonly void KeyAndValue(long token, int head)
    {
        float* row = Qkv + token * QkvStride;
        float* key = row + Layout.KOffset + head * Layout.KHeadStride;
        NormaliseAndRotate(token, key, KeyGain);
        int slot = SlotMapping[token];
        long target = (((long)(slot / BlockSize) * Layout.NumKvHeads + head) * BlockSize + slot % BlockSize) * Layout.HeadDim;
        long bytes = (long)Layout.HeadDim * sizeof(float);
        Buffer.MemoryCopy(key, Keys + target, bytes, bytes);
        Buffer.MemoryCopy(row + Layout.VOffset + head * Layout.VHeadStride, Values + target, bytes, bytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void NormaliseAndRotate(long token, float* head, WeightVector gain)
    {
        if (gain.IsPresent)
        {
            RmsNormOperation.Row(head, Layout.HeadDim, gain, Epsilon, unitOffset: false, head, accumulate: false);
        }

        float* cos = Cos + token * CosStride, sin = Sin + token * SinStride, second = head + HalfRotary;
        for (int i = 0; i < HalfRotary; i += Lanes.Count)
        {
            int left = HalfRotary - i;
            Vector256<float> c = Lanes.Load(cos + i, left), s = Lanes.Load(sin + i, left);
            Vector256<float> a = Lanes.Load(head + i, left), b = Lanes.Load(second + i, left);
            Lanes.Store(a * c - b * s, head + i, left);
            Lanes.Store(b * c + a * s, second + i, left);
        }
    }
}

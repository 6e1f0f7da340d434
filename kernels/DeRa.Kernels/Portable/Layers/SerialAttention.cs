using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// One work-item for a token and a head, block by block of the cache. The caches of a batch come from memory, and a block's 4 KiB (16 positions of 64
/// floats) end where the processor's own prefetcher stops, so every block asks for the one that comes after it.
/// </summary>
internal readonly struct SerialAttention : IAttentionForm
{
    public static void Barrier()
    {
    }

    public static void Scores(AttentionArgs args, long table, int kvHead, long query, int from, int count, ArrayView<float> scores)
    {
        for (int i = 0; i < count;)
        {
            int run = args.RunLength(from + i, count - i), next = i + run;
            long cell = args.Cell(table, kvHead, from + i), ahead = args.Cell(table, kvHead, next < count ? from + next : from);
            ref float upcoming = ref args.Cache.Values[ahead];
            if (next < count)
            {
                upcoming = ref args.Cache.Keys[ahead];
            }

            SerialAttentionMath.Scores(ref args.Cache.Keys[cell], ref args.Qkv.Data[query], ref scores[i], args.Layout.HeadDim, run, ref upcoming);
            i = next;
        }
    }

    public static float Largest(AttentionArgs args, int count, ArrayView<float> scores, ArrayView<float> scratch)
    {
        if (args.SoftCap > 0)
        {
            for (int i = 0; i < count; i++)
            {
                scores[i] = ActivationMath.SoftCap(scores[i] * args.Scale, args.SoftCap);
            }
        }

        return SerialMath.ScaledMax(ref scores[0], count, args.SoftCap > 0 ? 1f : args.Scale);
    }

    public static float Weights(float largest, int count, ArrayView<float> scores, ArrayView<float> scratch) =>
        SerialMath.ExpSum(ref scores[0], count, largest);

    public static void Accumulate(
        AttentionArgs args, long table, int kvHead, int from, int count, ArrayView<float> weights, ArrayView<float> sums)
    {
        // After the last block come the keys of the next head, whose group is likely to be this work-item's next.
        int nextHead = IntrinsicMath.Min(kvHead + 1, args.Cache.NumKvHeads - 1);
        for (int i = 0; i < count;)
        {
            int run = args.RunLength(from + i, count - i), next = i + run;
            long cell = args.Cell(table, kvHead, from + i);
            long ahead = next < count ? args.Cell(table, kvHead, from + next) : args.Cell(table, nextHead, from);
            ref float upcoming = ref args.Cache.Keys[ahead];
            if (next < count)
            {
                upcoming = ref args.Cache.Values[ahead];
            }

            SerialAttentionMath.Accumulate(ref args.Cache.Values[cell], ref weights[i], ref sums[0], args.Layout.HeadDim, run, ref upcoming);
            i = next;
        }
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

// The register tiles of eight lanes. A last part block comes from staged copies with zeros (tails), read by a second round of the same loop.
internal static unsafe partial class Projection<TFormat>
{
    /// <summary>1 row × 4 outputs: four chains of multiply-adds are enough where memory sets the pace.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1x4<TPath>(float** x, byte* w, long stride, byte* tails, int blocks, float* y)
        where TPath : struct, IWeightPath
    {
        Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default;
        float* x0 = x[0];
        byte* w1 = w + stride, w2 = w1 + stride, w3 = w2 + stride, next = w + 4 * stride + PrefetchAhead;
        long at = 0;
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, at += BlockBytes)
            {
                next = TPath.IsOneStream ? Prefetch(next, BlockBytes * 4) : next;
                Vector256<float> v0 = TFormat.First(w + at);
                Vector256<float> v1 = TFormat.First(w1 + at);
                Vector256<float> v2 = TFormat.First(w2 + at);
                Vector256<float> v3 = TFormat.First(w3 + at);
                Vector256<float> p = Vector256.Load(x0);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                a3 = Lanes.MultiplyAdd(v3, p, a3);
                v0 = TFormat.Second(w + at);
                v1 = TFormat.Second(w1 + at);
                v2 = TFormat.Second(w2 + at);
                v3 = TFormat.Second(w3 + at);
                p = Vector256.Load(x0 + 8);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                a3 = Lanes.MultiplyAdd(v3, p, a3);
                x0 += 16;
            }

            if (tails == null)
            {
                break;
            }

            w = tails;
            w1 = w + TailBytes;
            w2 = w + 2 * TailBytes;
            w3 = w + 3 * TailBytes;
            at = 0;
            tails = null;
        }

        y[0] = Lanes.Sum(a0);
        y[1] = Lanes.Sum(a1);
        y[2] = Lanes.Sum(a2);
        y[3] = Lanes.Sum(a3);
    }

    /// <summary>2 rows × 4 outputs: 8 accumulators, 4 of w, 1 of x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile2x4<TPath>(float** x, byte* w, long stride, byte* tails, int blocks, float* y, long yStride)
        where TPath : struct, IWeightPath
    {
        Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector256<float> b0 = default, b1 = default, b2 = default, b3 = default;
        float* x0 = x[0], x1 = x[1];
        byte* w1 = w + stride, w2 = w1 + stride, w3 = w2 + stride, next = w + 4 * stride + PrefetchAhead;
        long at = 0;
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, at += BlockBytes)
            {
                if (TPath.IsOneStream)
                {
                    next = Prefetch(next, BlockBytes * 4);
                }
                else
                {
                    PrefetchStreams(w + at, w1 + at, w2 + at, w3 + at);
                }

                Vector256<float> v0 = TFormat.First(w + at);
                Vector256<float> v1 = TFormat.First(w1 + at);
                Vector256<float> v2 = TFormat.First(w2 + at);
                Vector256<float> v3 = TFormat.First(w3 + at);
                Vector256<float> p = Vector256.Load(x0);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                a3 = Lanes.MultiplyAdd(v3, p, a3);
                p = Vector256.Load(x1);
                b0 = Lanes.MultiplyAdd(v0, p, b0);
                b1 = Lanes.MultiplyAdd(v1, p, b1);
                b2 = Lanes.MultiplyAdd(v2, p, b2);
                b3 = Lanes.MultiplyAdd(v3, p, b3);
                v0 = TFormat.Second(w + at);
                v1 = TFormat.Second(w1 + at);
                v2 = TFormat.Second(w2 + at);
                v3 = TFormat.Second(w3 + at);
                p = Vector256.Load(x0 + 8);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                a3 = Lanes.MultiplyAdd(v3, p, a3);
                p = Vector256.Load(x1 + 8);
                b0 = Lanes.MultiplyAdd(v0, p, b0);
                b1 = Lanes.MultiplyAdd(v1, p, b1);
                b2 = Lanes.MultiplyAdd(v2, p, b2);
                b3 = Lanes.MultiplyAdd(v3, p, b3);
                x0 += 16;
                x1 += 16;
            }

            if (tails == null)
            {
                break;
            }

            w = tails;
            w1 = w + TailBytes;
            w2 = w + 2 * TailBytes;
            w3 = w + 3 * TailBytes;
            at = 0;
            tails = null;
        }

        y[0] = Lanes.Sum(a0);
        y[1] = Lanes.Sum(a1);
        y[2] = Lanes.Sum(a2);
        y[3] = Lanes.Sum(a3);
        y += yStride;
        y[0] = Lanes.Sum(b0);
        y[1] = Lanes.Sum(b1);
        y[2] = Lanes.Sum(b2);
        y[3] = Lanes.Sum(b3);
    }

    /// <summary>3 rows × 3 outputs: 9 accumulators, 3 of w, 1 of x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile3x3(float** x, byte* w, long stride, byte* tails, int blocks, float* y, long yStride)
    {
        Vector256<float> a0 = default, a1 = default, a2 = default;
        Vector256<float> b0 = default, b1 = default, b2 = default;
        Vector256<float> c0 = default, c1 = default, c2 = default;
        float* x0 = x[0], x1 = x[1], x2 = x[2];
        byte* w1 = w + stride, w2 = w1 + stride, next = w + 3 * stride + PrefetchAhead;
        long at = 0;
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, at += BlockBytes)
            {
                next = Prefetch(next, BlockBytes * 3);
                Vector256<float> v0 = TFormat.First(w + at);
                Vector256<float> v1 = TFormat.First(w1 + at);
                Vector256<float> v2 = TFormat.First(w2 + at);
                Vector256<float> p = Vector256.Load(x0);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                p = Vector256.Load(x1);
                b0 = Lanes.MultiplyAdd(v0, p, b0);
                b1 = Lanes.MultiplyAdd(v1, p, b1);
                b2 = Lanes.MultiplyAdd(v2, p, b2);
                p = Vector256.Load(x2);
                c0 = Lanes.MultiplyAdd(v0, p, c0);
                c1 = Lanes.MultiplyAdd(v1, p, c1);
                c2 = Lanes.MultiplyAdd(v2, p, c2);
                v0 = TFormat.Second(w + at);
                v1 = TFormat.Second(w1 + at);
                v2 = TFormat.Second(w2 + at);
                p = Vector256.Load(x0 + 8);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                p = Vector256.Load(x1 + 8);
                b0 = Lanes.MultiplyAdd(v0, p, b0);
                b1 = Lanes.MultiplyAdd(v1, p, b1);
                b2 = Lanes.MultiplyAdd(v2, p, b2);
                p = Vector256.Load(x2 + 8);
                c0 = Lanes.MultiplyAdd(v0, p, c0);
                c1 = Lanes.MultiplyAdd(v1, p, c1);
                c2 = Lanes.MultiplyAdd(v2, p, c2);
                x0 += 16;
                x1 += 16;
                x2 += 16;
            }

            if (tails == null)
            {
                break;
            }

            w = tails;
            w1 = w + TailBytes;
            w2 = w + 2 * TailBytes;
            at = 0;
            tails = null;
        }

        y[0] = Lanes.Sum(a0);
        y[1] = Lanes.Sum(a1);
        y[2] = Lanes.Sum(a2);
        y += yStride;
        y[0] = Lanes.Sum(b0);
        y[1] = Lanes.Sum(b1);
        y[2] = Lanes.Sum(b2);
        y += yStride;
        y[0] = Lanes.Sum(c0);
        y[1] = Lanes.Sum(c1);
        y[2] = Lanes.Sum(c2);
    }

    /// <summary>4 rows × 3 outputs: 12 accumulators, 3 of w and 1 of x are exactly 16 vector registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4x3(float** x, byte* w, long stride, byte* tails, int blocks, float* y, long yStride)
    {
        Vector256<float> a0 = default, a1 = default, a2 = default;
        Vector256<float> b0 = default, b1 = default, b2 = default;
        Vector256<float> c0 = default, c1 = default, c2 = default;
        Vector256<float> d0 = default, d1 = default, d2 = default;
        float* x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
        byte* w1 = w + stride, w2 = w1 + stride, next = w + 3 * stride + PrefetchAhead;
        long at = 0;
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, at += BlockBytes)
            {
                next = Prefetch(next, BlockBytes * 3);
                Vector256<float> v0 = TFormat.First(w + at);
                Vector256<float> v1 = TFormat.First(w1 + at);
                Vector256<float> v2 = TFormat.First(w2 + at);
                Vector256<float> p = Vector256.Load(x0);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                p = Vector256.Load(x1);
                b0 = Lanes.MultiplyAdd(v0, p, b0);
                b1 = Lanes.MultiplyAdd(v1, p, b1);
                b2 = Lanes.MultiplyAdd(v2, p, b2);
                p = Vector256.Load(x2);
                c0 = Lanes.MultiplyAdd(v0, p, c0);
                c1 = Lanes.MultiplyAdd(v1, p, c1);
                c2 = Lanes.MultiplyAdd(v2, p, c2);
                p = Vector256.Load(x3);
                d0 = Lanes.MultiplyAdd(v0, p, d0);
                d1 = Lanes.MultiplyAdd(v1, p, d1);
                d2 = Lanes.MultiplyAdd(v2, p, d2);
                v0 = TFormat.Second(w + at);
                v1 = TFormat.Second(w1 + at);
                v2 = TFormat.Second(w2 + at);
                p = Vector256.Load(x0 + 8);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                p = Vector256.Load(x1 + 8);
                b0 = Lanes.MultiplyAdd(v0, p, b0);
                b1 = Lanes.MultiplyAdd(v1, p, b1);
                b2 = Lanes.MultiplyAdd(v2, p, b2);
                p = Vector256.Load(x2 + 8);
                c0 = Lanes.MultiplyAdd(v0, p, c0);
                c1 = Lanes.MultiplyAdd(v1, p, c1);
                c2 = Lanes.MultiplyAdd(v2, p, c2);
                p = Vector256.Load(x3 + 8);
                d0 = Lanes.MultiplyAdd(v0, p, d0);
                d1 = Lanes.MultiplyAdd(v1, p, d1);
                d2 = Lanes.MultiplyAdd(v2, p, d2);
                x0 += 16;
                x1 += 16;
                x2 += 16;
                x3 += 16;
            }

            if (tails == null)
            {
                break;
            }

            w = tails;
            w1 = w + TailBytes;
            w2 = w + 2 * TailBytes;
            at = 0;
            tails = null;
        }

        y[0] = Lanes.Sum(a0);
        y[1] = Lanes.Sum(a1);
        y[2] = Lanes.Sum(a2);
        y += yStride;
        y[0] = Lanes.Sum(b0);
        y[1] = Lanes.Sum(b1);
        y[2] = Lanes.Sum(b2);
        y += yStride;
        y[0] = Lanes.Sum(c0);
        y[1] = Lanes.Sum(c1);
        y[2] = Lanes.Sum(c2);
        y += yStride;
        y[0] = Lanes.Sum(d0);
        y[1] = Lanes.Sum(d1);
        y[2] = Lanes.Sum(d2);
    }
}

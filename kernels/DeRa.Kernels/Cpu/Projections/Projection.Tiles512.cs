using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

// The register tiles of sixteen lanes. A last part block comes from staged copies with zeros (tails), read by a second round of the same loop.
internal static unsafe partial class Projection<TFormat>
{
    /// <summary>1 row × 4 outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1x4Wide<TPath>(float** x, byte* w, long stride, byte* tails, int blocks, float* y)
        where TPath : struct, IWeightPath
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
        float* x0 = x[0];
        byte* w1 = w + stride, w2 = w1 + stride, w3 = w2 + stride, next = w + 4 * stride + PrefetchAhead;
        long at = 0;
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, at += BlockBytes)
            {
                next = TPath.IsOneStream ? Prefetch(next, BlockBytes * 4) : next;
                Vector512<float> v0 = TFormat.First512(w + at);
                Vector512<float> v1 = TFormat.First512(w1 + at);
                Vector512<float> v2 = TFormat.First512(w2 + at);
                Vector512<float> v3 = TFormat.First512(w3 + at);
                Vector512<float> p = Vector512.Load(x0);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                a3 = Lanes.MultiplyAdd(v3, p, a3);
                v0 = TFormat.Second512(w + at);
                v1 = TFormat.Second512(w1 + at);
                v2 = TFormat.Second512(w2 + at);
                v3 = TFormat.Second512(w3 + at);
                p = Vector512.Load(x0 + 16);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                a3 = Lanes.MultiplyAdd(v3, p, a3);
                x0 += 32;
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
    private static void Tile2x4Wide<TPath>(float** x, byte* w, long stride, byte* tails, int blocks, float* y, long yStride)
        where TPath : struct, IWeightPath
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector512<float> b0 = default, b1 = default, b2 = default, b3 = default;
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

                Vector512<float> v0 = TFormat.First512(w + at);
                Vector512<float> v1 = TFormat.First512(w1 + at);
                Vector512<float> v2 = TFormat.First512(w2 + at);
                Vector512<float> v3 = TFormat.First512(w3 + at);
                Vector512<float> p = Vector512.Load(x0);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                a3 = Lanes.MultiplyAdd(v3, p, a3);
                p = Vector512.Load(x1);
                b0 = Lanes.MultiplyAdd(v0, p, b0);
                b1 = Lanes.MultiplyAdd(v1, p, b1);
                b2 = Lanes.MultiplyAdd(v2, p, b2);
                b3 = Lanes.MultiplyAdd(v3, p, b3);
                v0 = TFormat.Second512(w + at);
                v1 = TFormat.Second512(w1 + at);
                v2 = TFormat.Second512(w2 + at);
                v3 = TFormat.Second512(w3 + at);
                p = Vector512.Load(x0 + 16);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                a3 = Lanes.MultiplyAdd(v3, p, a3);
                p = Vector512.Load(x1 + 16);
                b0 = Lanes.MultiplyAdd(v0, p, b0);
                b1 = Lanes.MultiplyAdd(v1, p, b1);
                b2 = Lanes.MultiplyAdd(v2, p, b2);
                b3 = Lanes.MultiplyAdd(v3, p, b3);
                x0 += 32;
                x1 += 32;
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

    /// <summary>3 rows × 4 outputs: 12 accumulators, 4 of w, 1 of x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile3x4Wide(float** x, byte* w, long stride, byte* tails, int blocks, float* y, long yStride)
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector512<float> b0 = default, b1 = default, b2 = default, b3 = default;
        Vector512<float> c0 = default, c1 = default, c2 = default, c3 = default;
        float* x0 = x[0], x1 = x[1], x2 = x[2];
        byte* w1 = w + stride, w2 = w1 + stride, w3 = w2 + stride, next = w + 4 * stride + PrefetchAhead;
        long at = 0;
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, at += BlockBytes)
            {
                next = Prefetch(next, BlockBytes * 4);
                Vector512<float> v0 = TFormat.First512(w + at);
                Vector512<float> v1 = TFormat.First512(w1 + at);
                Vector512<float> v2 = TFormat.First512(w2 + at);
                Vector512<float> v3 = TFormat.First512(w3 + at);
                Vector512<float> p = Vector512.Load(x0);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                a3 = Lanes.MultiplyAdd(v3, p, a3);
                p = Vector512.Load(x1);
                b0 = Lanes.MultiplyAdd(v0, p, b0);
                b1 = Lanes.MultiplyAdd(v1, p, b1);
                b2 = Lanes.MultiplyAdd(v2, p, b2);
                b3 = Lanes.MultiplyAdd(v3, p, b3);
                p = Vector512.Load(x2);
                c0 = Lanes.MultiplyAdd(v0, p, c0);
                c1 = Lanes.MultiplyAdd(v1, p, c1);
                c2 = Lanes.MultiplyAdd(v2, p, c2);
                c3 = Lanes.MultiplyAdd(v3, p, c3);
                v0 = TFormat.Second512(w + at);
                v1 = TFormat.Second512(w1 + at);
                v2 = TFormat.Second512(w2 + at);
                v3 = TFormat.Second512(w3 + at);
                p = Vector512.Load(x0 + 16);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                a3 = Lanes.MultiplyAdd(v3, p, a3);
                p = Vector512.Load(x1 + 16);
                b0 = Lanes.MultiplyAdd(v0, p, b0);
                b1 = Lanes.MultiplyAdd(v1, p, b1);
                b2 = Lanes.MultiplyAdd(v2, p, b2);
                b3 = Lanes.MultiplyAdd(v3, p, b3);
                p = Vector512.Load(x2 + 16);
                c0 = Lanes.MultiplyAdd(v0, p, c0);
                c1 = Lanes.MultiplyAdd(v1, p, c1);
                c2 = Lanes.MultiplyAdd(v2, p, c2);
                c3 = Lanes.MultiplyAdd(v3, p, c3);
                x0 += 32;
                x1 += 32;
                x2 += 32;
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
        y += yStride;
        y[0] = Lanes.Sum(c0);
        y[1] = Lanes.Sum(c1);
        y[2] = Lanes.Sum(c2);
        y[3] = Lanes.Sum(c3);
    }

    /// <summary>4 rows × 4 outputs: 16 accumulators, 4 of w, 1 of x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile4x4Wide(float** x, byte* w, long stride, byte* tails, int blocks, float* y, long yStride)
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector512<float> b0 = default, b1 = default, b2 = default, b3 = default;
        Vector512<float> c0 = default, c1 = default, c2 = default, c3 = default;
        Vector512<float> d0 = default, d1 = default, d2 = default, d3 = default;
        float* x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
        byte* w1 = w + stride, w2 = w1 + stride, w3 = w2 + stride, next = w + 4 * stride + PrefetchAhead;
        long at = 0;
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, at += BlockBytes)
            {
                next = Prefetch(next, BlockBytes * 4);
                Vector512<float> v0 = TFormat.First512(w + at);
                Vector512<float> v1 = TFormat.First512(w1 + at);
                Vector512<float> v2 = TFormat.First512(w2 + at);
                Vector512<float> v3 = TFormat.First512(w3 + at);
                Vector512<float> p = Vector512.Load(x0);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                a3 = Lanes.MultiplyAdd(v3, p, a3);
                p = Vector512.Load(x1);
                b0 = Lanes.MultiplyAdd(v0, p, b0);
                b1 = Lanes.MultiplyAdd(v1, p, b1);
                b2 = Lanes.MultiplyAdd(v2, p, b2);
                b3 = Lanes.MultiplyAdd(v3, p, b3);
                p = Vector512.Load(x2);
                c0 = Lanes.MultiplyAdd(v0, p, c0);
                c1 = Lanes.MultiplyAdd(v1, p, c1);
                c2 = Lanes.MultiplyAdd(v2, p, c2);
                c3 = Lanes.MultiplyAdd(v3, p, c3);
                p = Vector512.Load(x3);
                d0 = Lanes.MultiplyAdd(v0, p, d0);
                d1 = Lanes.MultiplyAdd(v1, p, d1);
                d2 = Lanes.MultiplyAdd(v2, p, d2);
                d3 = Lanes.MultiplyAdd(v3, p, d3);
                v0 = TFormat.Second512(w + at);
                v1 = TFormat.Second512(w1 + at);
                v2 = TFormat.Second512(w2 + at);
                v3 = TFormat.Second512(w3 + at);
                p = Vector512.Load(x0 + 16);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                a3 = Lanes.MultiplyAdd(v3, p, a3);
                p = Vector512.Load(x1 + 16);
                b0 = Lanes.MultiplyAdd(v0, p, b0);
                b1 = Lanes.MultiplyAdd(v1, p, b1);
                b2 = Lanes.MultiplyAdd(v2, p, b2);
                b3 = Lanes.MultiplyAdd(v3, p, b3);
                p = Vector512.Load(x2 + 16);
                c0 = Lanes.MultiplyAdd(v0, p, c0);
                c1 = Lanes.MultiplyAdd(v1, p, c1);
                c2 = Lanes.MultiplyAdd(v2, p, c2);
                c3 = Lanes.MultiplyAdd(v3, p, c3);
                p = Vector512.Load(x3 + 16);
                d0 = Lanes.MultiplyAdd(v0, p, d0);
                d1 = Lanes.MultiplyAdd(v1, p, d1);
                d2 = Lanes.MultiplyAdd(v2, p, d2);
                d3 = Lanes.MultiplyAdd(v3, p, d3);
                x0 += 32;
                x1 += 32;
                x2 += 32;
                x3 += 32;
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
        y += yStride;
        y[0] = Lanes.Sum(c0);
        y[1] = Lanes.Sum(c1);
        y[2] = Lanes.Sum(c2);
        y[3] = Lanes.Sum(c3);
        y += yStride;
        y[0] = Lanes.Sum(d0);
        y[1] = Lanes.Sum(d1);
        y[2] = Lanes.Sum(d2);
        y[3] = Lanes.Sum(d3);
    }
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

// The tile of sixteen lanes that needs their 32 registers.
internal static unsafe partial class Projection<TFormat>
{
    /// <summary>8 rows × 3 outputs: 24 accumulators, 3 of w, 1 of x; each weight is widened once for eight rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile8x3Wide(float** x, byte* w, long stride, byte* tails, int blocks, float* y, long yStride)
    {
        Vector512<float> a0 = default, a1 = default, a2 = default;
        Vector512<float> b0 = default, b1 = default, b2 = default;
        Vector512<float> c0 = default, c1 = default, c2 = default;
        Vector512<float> d0 = default, d1 = default, d2 = default;
        Vector512<float> e0 = default, e1 = default, e2 = default;
        Vector512<float> f0 = default, f1 = default, f2 = default;
        Vector512<float> g0 = default, g1 = default, g2 = default;
        Vector512<float> h0 = default, h1 = default, h2 = default;
        float* x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3], x4 = x[4], x5 = x[5], x6 = x[6], x7 = x[7];
        byte* w1 = w + stride, w2 = w1 + stride, next = w + 3 * stride + PrefetchAhead;
        long at = 0;
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, at += BlockBytes)
            {
                next = Prefetch(next, BlockBytes * 3);
                Vector512<float> v0 = TFormat.First512(w + at);
                Vector512<float> v1 = TFormat.First512(w1 + at);
                Vector512<float> v2 = TFormat.First512(w2 + at);
                Vector512<float> p = Vector512.Load(x0);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                p = Vector512.Load(x1);
                b0 = Lanes.MultiplyAdd(v0, p, b0);
                b1 = Lanes.MultiplyAdd(v1, p, b1);
                b2 = Lanes.MultiplyAdd(v2, p, b2);
                p = Vector512.Load(x2);
                c0 = Lanes.MultiplyAdd(v0, p, c0);
                c1 = Lanes.MultiplyAdd(v1, p, c1);
                c2 = Lanes.MultiplyAdd(v2, p, c2);
                p = Vector512.Load(x3);
                d0 = Lanes.MultiplyAdd(v0, p, d0);
                d1 = Lanes.MultiplyAdd(v1, p, d1);
                d2 = Lanes.MultiplyAdd(v2, p, d2);
                p = Vector512.Load(x4);
                e0 = Lanes.MultiplyAdd(v0, p, e0);
                e1 = Lanes.MultiplyAdd(v1, p, e1);
                e2 = Lanes.MultiplyAdd(v2, p, e2);
                p = Vector512.Load(x5);
                f0 = Lanes.MultiplyAdd(v0, p, f0);
                f1 = Lanes.MultiplyAdd(v1, p, f1);
                f2 = Lanes.MultiplyAdd(v2, p, f2);
                p = Vector512.Load(x6);
                g0 = Lanes.MultiplyAdd(v0, p, g0);
                g1 = Lanes.MultiplyAdd(v1, p, g1);
                g2 = Lanes.MultiplyAdd(v2, p, g2);
                p = Vector512.Load(x7);
                h0 = Lanes.MultiplyAdd(v0, p, h0);
                h1 = Lanes.MultiplyAdd(v1, p, h1);
                h2 = Lanes.MultiplyAdd(v2, p, h2);
                v0 = TFormat.Second512(w + at);
                v1 = TFormat.Second512(w1 + at);
                v2 = TFormat.Second512(w2 + at);
                p = Vector512.Load(x0 + 16);
                a0 = Lanes.MultiplyAdd(v0, p, a0);
                a1 = Lanes.MultiplyAdd(v1, p, a1);
                a2 = Lanes.MultiplyAdd(v2, p, a2);
                p = Vector512.Load(x1 + 16);
                b0 = Lanes.MultiplyAdd(v0, p, b0);
                b1 = Lanes.MultiplyAdd(v1, p, b1);
                b2 = Lanes.MultiplyAdd(v2, p, b2);
                p = Vector512.Load(x2 + 16);
                c0 = Lanes.MultiplyAdd(v0, p, c0);
                c1 = Lanes.MultiplyAdd(v1, p, c1);
                c2 = Lanes.MultiplyAdd(v2, p, c2);
                p = Vector512.Load(x3 + 16);
                d0 = Lanes.MultiplyAdd(v0, p, d0);
                d1 = Lanes.MultiplyAdd(v1, p, d1);
                d2 = Lanes.MultiplyAdd(v2, p, d2);
                p = Vector512.Load(x4 + 16);
                e0 = Lanes.MultiplyAdd(v0, p, e0);
                e1 = Lanes.MultiplyAdd(v1, p, e1);
                e2 = Lanes.MultiplyAdd(v2, p, e2);
                p = Vector512.Load(x5 + 16);
                f0 = Lanes.MultiplyAdd(v0, p, f0);
                f1 = Lanes.MultiplyAdd(v1, p, f1);
                f2 = Lanes.MultiplyAdd(v2, p, f2);
                p = Vector512.Load(x6 + 16);
                g0 = Lanes.MultiplyAdd(v0, p, g0);
                g1 = Lanes.MultiplyAdd(v1, p, g1);
                g2 = Lanes.MultiplyAdd(v2, p, g2);
                p = Vector512.Load(x7 + 16);
                h0 = Lanes.MultiplyAdd(v0, p, h0);
                h1 = Lanes.MultiplyAdd(v1, p, h1);
                h2 = Lanes.MultiplyAdd(v2, p, h2);
                x0 += 32;
                x1 += 32;
                x2 += 32;
                x3 += 32;
                x4 += 32;
                x5 += 32;
                x6 += 32;
                x7 += 32;
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
        y += yStride;
        y[0] = Lanes.Sum(e0);
        y[1] = Lanes.Sum(e1);
        y[2] = Lanes.Sum(e2);
        y += yStride;
        y[0] = Lanes.Sum(f0);
        y[1] = Lanes.Sum(f1);
        y[2] = Lanes.Sum(f2);
        y += yStride;
        y[0] = Lanes.Sum(g0);
        y[1] = Lanes.Sum(g1);
        y[2] = Lanes.Sum(g2);
        y += yStride;
        y[0] = Lanes.Sum(h0);
        y[1] = Lanes.Sum(h1);
        y[2] = Lanes.Sum(h2);
    }
}

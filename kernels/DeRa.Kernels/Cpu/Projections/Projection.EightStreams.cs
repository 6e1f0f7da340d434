using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

// The tiles of eight streams. A last part block comes from staged copies with zeros (tails), read by a second round of the same loop.
internal static unsafe partial class Projection<TFormat>
{
    /// <summary>1 row × 8 outputs of eight lanes: 8 accumulators, 1 of x; weights are widened one at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1x8(float* x, byte* w, long stride, byte* tails, int blocks, float* y)
    {
        Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector256<float> a4 = default, a5 = default, a6 = default, a7 = default;
        byte* w1 = w + stride, w2 = w1 + stride, w3 = w2 + stride, w4 = w3 + stride, w5 = w4 + stride, w6 = w5 + stride, w7 = w6 + stride;
        long at = 0;
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, at += BlockBytes, x += 16)
            {
                Vector256<float> p = Vector256.Load(x);
                a0 = Lanes.MultiplyAdd(TFormat.First(w + at), p, a0);
                a1 = Lanes.MultiplyAdd(TFormat.First(w1 + at), p, a1);
                a2 = Lanes.MultiplyAdd(TFormat.First(w2 + at), p, a2);
                a3 = Lanes.MultiplyAdd(TFormat.First(w3 + at), p, a3);
                a4 = Lanes.MultiplyAdd(TFormat.First(w4 + at), p, a4);
                a5 = Lanes.MultiplyAdd(TFormat.First(w5 + at), p, a5);
                a6 = Lanes.MultiplyAdd(TFormat.First(w6 + at), p, a6);
                a7 = Lanes.MultiplyAdd(TFormat.First(w7 + at), p, a7);
                p = Vector256.Load(x + 8);
                a0 = Lanes.MultiplyAdd(TFormat.Second(w + at), p, a0);
                a1 = Lanes.MultiplyAdd(TFormat.Second(w1 + at), p, a1);
                a2 = Lanes.MultiplyAdd(TFormat.Second(w2 + at), p, a2);
                a3 = Lanes.MultiplyAdd(TFormat.Second(w3 + at), p, a3);
                a4 = Lanes.MultiplyAdd(TFormat.Second(w4 + at), p, a4);
                a5 = Lanes.MultiplyAdd(TFormat.Second(w5 + at), p, a5);
                a6 = Lanes.MultiplyAdd(TFormat.Second(w6 + at), p, a6);
                a7 = Lanes.MultiplyAdd(TFormat.Second(w7 + at), p, a7);
            }

            if (tails == null)
            {
                break;
            }

            w = tails;
            w1 = w + TailBytes;
            w2 = w1 + TailBytes;
            w3 = w2 + TailBytes;
            w4 = w3 + TailBytes;
            w5 = w4 + TailBytes;
            w6 = w5 + TailBytes;
            w7 = w6 + TailBytes;
            at = 0;
            tails = null;
        }

        y[0] = Lanes.Sum(a0);
        y[1] = Lanes.Sum(a1);
        y[2] = Lanes.Sum(a2);
        y[3] = Lanes.Sum(a3);
        y[4] = Lanes.Sum(a4);
        y[5] = Lanes.Sum(a5);
        y[6] = Lanes.Sum(a6);
        y[7] = Lanes.Sum(a7);
    }

    /// <summary>1 row × 8 outputs of sixteen lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile1x8Wide(float* x, byte* w, long stride, byte* tails, int blocks, float* y)
    {
        Vector512<float> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector512<float> a4 = default, a5 = default, a6 = default, a7 = default;
        byte* w1 = w + stride, w2 = w1 + stride, w3 = w2 + stride, w4 = w3 + stride, w5 = w4 + stride, w6 = w5 + stride, w7 = w6 + stride;
        long at = 0;
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, at += BlockBytes, x += 32)
            {
                Vector512<float> p = Vector512.Load(x);
                a0 = Lanes.MultiplyAdd(TFormat.First512(w + at), p, a0);
                a1 = Lanes.MultiplyAdd(TFormat.First512(w1 + at), p, a1);
                a2 = Lanes.MultiplyAdd(TFormat.First512(w2 + at), p, a2);
                a3 = Lanes.MultiplyAdd(TFormat.First512(w3 + at), p, a3);
                a4 = Lanes.MultiplyAdd(TFormat.First512(w4 + at), p, a4);
                a5 = Lanes.MultiplyAdd(TFormat.First512(w5 + at), p, a5);
                a6 = Lanes.MultiplyAdd(TFormat.First512(w6 + at), p, a6);
                a7 = Lanes.MultiplyAdd(TFormat.First512(w7 + at), p, a7);
                p = Vector512.Load(x + 16);
                a0 = Lanes.MultiplyAdd(TFormat.Second512(w + at), p, a0);
                a1 = Lanes.MultiplyAdd(TFormat.Second512(w1 + at), p, a1);
                a2 = Lanes.MultiplyAdd(TFormat.Second512(w2 + at), p, a2);
                a3 = Lanes.MultiplyAdd(TFormat.Second512(w3 + at), p, a3);
                a4 = Lanes.MultiplyAdd(TFormat.Second512(w4 + at), p, a4);
                a5 = Lanes.MultiplyAdd(TFormat.Second512(w5 + at), p, a5);
                a6 = Lanes.MultiplyAdd(TFormat.Second512(w6 + at), p, a6);
                a7 = Lanes.MultiplyAdd(TFormat.Second512(w7 + at), p, a7);
            }

            if (tails == null)
            {
                break;
            }

            w = tails;
            w1 = w + TailBytes;
            w2 = w1 + TailBytes;
            w3 = w2 + TailBytes;
            w4 = w3 + TailBytes;
            w5 = w4 + TailBytes;
            w6 = w5 + TailBytes;
            w7 = w6 + TailBytes;
            at = 0;
            tails = null;
        }

        y[0] = Lanes.Sum(a0);
        y[1] = Lanes.Sum(a1);
        y[2] = Lanes.Sum(a2);
        y[3] = Lanes.Sum(a3);
        y[4] = Lanes.Sum(a4);
        y[5] = Lanes.Sum(a5);
        y[6] = Lanes.Sum(a6);
        y[7] = Lanes.Sum(a7);
    }
}

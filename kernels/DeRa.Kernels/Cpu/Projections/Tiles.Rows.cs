using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

// The tiles of more than one row. Each row's sums are a local of its own: in a struct of rows the JIT leaves them in memory (docs/decisions/0025).
internal static unsafe partial class Tiles<TFormat, TWidth, TVector>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2<TOutputs, TPath>(float** x, byte* w, long stride, byte* tails, int blocks, float* y, long yStride)
        where TOutputs : struct, IOutputVectors<TOutputs, TVector>
        where TPath : struct, IWeightPath
    {
        TOutputs a = default, b = default;
        float* x0 = x[0], x1 = x[1];
        byte* next = WeightPrefetch.After(w, TOutputs.Count * stride);
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, w += BlockBytes)
            {
                if (TPath.IsOneStream)
                {
                    next = WeightPrefetch.Lines(next, TOutputs.Count * BlockBytes);
                }
                else
                {
                    WeightPrefetch.Streams(w, stride, BlockBytes);
                }

                TOutputs v = TOutputs.First(w, stride);
                a.Add(v, TWidth.Load(x0));
                b.Add(v, TWidth.Load(x1));
                v = TOutputs.Second(w, stride);
                a.Add(v, TWidth.Load(x0 + TWidth.Count));
                b.Add(v, TWidth.Load(x1 + TWidth.Count));
                x0 += 2 * TWidth.Count;
                x1 += 2 * TWidth.Count;
            }

            if (tails == null)
            {
                break;
            }

            w = tails;
            stride = WeightTails.Bytes;
            tails = null;
        }

        a.Store(y);
        b.Store(y + yStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows3<TOutputs>(float** x, byte* w, long stride, byte* tails, int blocks, float* y, long yStride)
        where TOutputs : struct, IOutputVectors<TOutputs, TVector>
    {
        TOutputs a = default, b = default, c = default;
        float* x0 = x[0], x1 = x[1], x2 = x[2];
        byte* next = WeightPrefetch.After(w, TOutputs.Count * stride);
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, w += BlockBytes)
            {
                next = WeightPrefetch.Lines(next, TOutputs.Count * BlockBytes);
                TOutputs v = TOutputs.First(w, stride);
                a.Add(v, TWidth.Load(x0));
                b.Add(v, TWidth.Load(x1));
                c.Add(v, TWidth.Load(x2));
                v = TOutputs.Second(w, stride);
                a.Add(v, TWidth.Load(x0 + TWidth.Count));
                b.Add(v, TWidth.Load(x1 + TWidth.Count));
                c.Add(v, TWidth.Load(x2 + TWidth.Count));
                x0 += 2 * TWidth.Count;
                x1 += 2 * TWidth.Count;
                x2 += 2 * TWidth.Count;
            }

            if (tails == null)
            {
                break;
            }

            w = tails;
            stride = WeightTails.Bytes;
            tails = null;
        }

        a.Store(y);
        b.Store(y + yStride);
        c.Store(y + 2 * yStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4<TOutputs>(float** x, byte* w, long stride, byte* tails, int blocks, float* y, long yStride)
        where TOutputs : struct, IOutputVectors<TOutputs, TVector>
    {
        TOutputs a = default, b = default, c = default, d = default;
        float* x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
        byte* next = WeightPrefetch.After(w, TOutputs.Count * stride);
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, w += BlockBytes)
            {
                next = WeightPrefetch.Lines(next, TOutputs.Count * BlockBytes);
                TOutputs v = TOutputs.First(w, stride);
                a.Add(v, TWidth.Load(x0));
                b.Add(v, TWidth.Load(x1));
                c.Add(v, TWidth.Load(x2));
                d.Add(v, TWidth.Load(x3));
                v = TOutputs.Second(w, stride);
                a.Add(v, TWidth.Load(x0 + TWidth.Count));
                b.Add(v, TWidth.Load(x1 + TWidth.Count));
                c.Add(v, TWidth.Load(x2 + TWidth.Count));
                d.Add(v, TWidth.Load(x3 + TWidth.Count));
                x0 += 2 * TWidth.Count;
                x1 += 2 * TWidth.Count;
                x2 += 2 * TWidth.Count;
                x3 += 2 * TWidth.Count;
            }

            if (tails == null)
            {
                break;
            }

            w = tails;
            stride = WeightTails.Bytes;
            tails = null;
        }

        a.Store(y);
        b.Store(y + yStride);
        c.Store(y + 2 * yStride);
        d.Store(y + 3 * yStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows8<TOutputs>(float** x, byte* w, long stride, byte* tails, int blocks, float* y, long yStride)
        where TOutputs : struct, IOutputVectors<TOutputs, TVector>
    {
        TOutputs a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
        float* x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3], x4 = x[4], x5 = x[5], x6 = x[6], x7 = x[7];
        byte* next = WeightPrefetch.After(w, TOutputs.Count * stride);
        for (int left = blocks; ; left = 1)
        {
            for (; left > 0; left--, w += BlockBytes)
            {
                next = WeightPrefetch.Lines(next, TOutputs.Count * BlockBytes);
                TOutputs v = TOutputs.First(w, stride);
                a.Add(v, TWidth.Load(x0));
                b.Add(v, TWidth.Load(x1));
                c.Add(v, TWidth.Load(x2));
                d.Add(v, TWidth.Load(x3));
                e.Add(v, TWidth.Load(x4));
                f.Add(v, TWidth.Load(x5));
                g.Add(v, TWidth.Load(x6));
                h.Add(v, TWidth.Load(x7));
                v = TOutputs.Second(w, stride);
                a.Add(v, TWidth.Load(x0 + TWidth.Count));
                b.Add(v, TWidth.Load(x1 + TWidth.Count));
                c.Add(v, TWidth.Load(x2 + TWidth.Count));
                d.Add(v, TWidth.Load(x3 + TWidth.Count));
                e.Add(v, TWidth.Load(x4 + TWidth.Count));
                f.Add(v, TWidth.Load(x5 + TWidth.Count));
                g.Add(v, TWidth.Load(x6 + TWidth.Count));
                h.Add(v, TWidth.Load(x7 + TWidth.Count));
                x0 += 2 * TWidth.Count;
                x1 += 2 * TWidth.Count;
                x2 += 2 * TWidth.Count;
                x3 += 2 * TWidth.Count;
                x4 += 2 * TWidth.Count;
                x5 += 2 * TWidth.Count;
                x6 += 2 * TWidth.Count;
                x7 += 2 * TWidth.Count;
            }

            if (tails == null)
            {
                break;
            }

            w = tails;
            stride = WeightTails.Bytes;
            tails = null;
        }

        a.Store(y);
        b.Store(y + yStride);
        c.Store(y + 2 * yStride);
        d.Store(y + 3 * yStride);
        e.Store(y + 4 * yStride);
        f.Store(y + 5 * yStride);
        g.Store(y + 6 * yStride);
        h.Store(y + 7 * yStride);
    }
}

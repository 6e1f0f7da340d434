using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

// Weighted sums of values. Every tile keeps 4 to 8 accumulators in registers: a step of one waits for no other.
internal static unsafe partial class AttentionMath
{
    /// <summary>o_g += Σ_j weights[g, j]·v_j.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddValues(
        float* weights, int weightStride, int group, float* values, int run, int dim, float* output, int outputStride)
    {
        int g = 0;
        for (; g + 4 <= group; g += 4)
        {
            int d = 0;
            for (; d + 16 <= dim; d += 16)
            {
                FourOutputs(weights + g * weightStride, weightStride, values + d, run, dim, output + g * outputStride + d, outputStride);
            }

            for (int h = g; h < g + 4; h++)
            {
                OneOutput(weights + h * weightStride, values, run, dim, d, output + h * outputStride);
            }
        }

        for (; g + 2 <= group; g += 2)
        {
            int d = 0;
            for (; d + 32 <= dim; d += 32)
            {
                TwoOutputs(weights + g * weightStride, weightStride, values + d, run, dim, output + g * outputStride + d, outputStride);
            }

            OneOutput(weights + g * weightStride, values, run, dim, d, output + g * outputStride);
            OneOutput(weights + (g + 1) * weightStride, values, run, dim, d, output + (g + 1) * outputStride);
        }

        for (; g < group; g++)
        {
            int d = 0;
            for (; d + 64 <= dim; d += 64)
            {
                WideOutput(weights + g * weightStride, values + d, run, dim, output + g * outputStride + d);
            }

            for (; d + 32 <= dim; d += 32)
            {
                HalfOutput(weights + g * weightStride, values + d, run, dim, output + g * outputStride + d);
            }

            OneOutput(weights + g * weightStride, values, run, dim, d, output + g * outputStride);
        }
    }

    /// <summary>16 elements of four heads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourOutputs(float* p, int pStride, float* v, int run, int dim, float* o, int oStride)
    {
        float* p1 = p + pStride, p2 = p1 + pStride, p3 = p2 + pStride, o1 = o + oStride, o2 = o1 + oStride, o3 = o2 + oStride;
        Vector256<float> a0 = Vector256.Load(o), a1 = Vector256.Load(o + 8), b0 = Vector256.Load(o1), b1 = Vector256.Load(o1 + 8);
        Vector256<float> c0 = Vector256.Load(o2), c1 = Vector256.Load(o2 + 8), d0 = Vector256.Load(o3), d1 = Vector256.Load(o3 + 8);
        for (int j = 0; j < run; j++, v += dim)
        {
            Vector256<float> v0 = Vector256.Load(v), v1 = Vector256.Load(v + 8), w = Vector256.Create(p[j]);
            a0 = Lanes.MultiplyAdd(w, v0, a0);
            a1 = Lanes.MultiplyAdd(w, v1, a1);
            w = Vector256.Create(p1[j]);
            b0 = Lanes.MultiplyAdd(w, v0, b0);
            b1 = Lanes.MultiplyAdd(w, v1, b1);
            w = Vector256.Create(p2[j]);
            c0 = Lanes.MultiplyAdd(w, v0, c0);
            c1 = Lanes.MultiplyAdd(w, v1, c1);
            w = Vector256.Create(p3[j]);
            d0 = Lanes.MultiplyAdd(w, v0, d0);
            d1 = Lanes.MultiplyAdd(w, v1, d1);
        }

        a0.Store(o);
        a1.Store(o + 8);
        b0.Store(o1);
        b1.Store(o1 + 8);
        c0.Store(o2);
        c1.Store(o2 + 8);
        d0.Store(o3);
        d1.Store(o3 + 8);
    }

    /// <summary>32 elements of two heads.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoOutputs(float* p, int pStride, float* v, int run, int dim, float* o, int oStride)
    {
        float* p1 = p + pStride, o1 = o + oStride;
        Vector256<float> a0 = Vector256.Load(o), a1 = Vector256.Load(o + 8), a2 = Vector256.Load(o + 16), a3 = Vector256.Load(o + 24);
        Vector256<float> b0 = Vector256.Load(o1), b1 = Vector256.Load(o1 + 8), b2 = Vector256.Load(o1 + 16), b3 = Vector256.Load(o1 + 24);
        for (int j = 0; j < run; j++, v += dim)
        {
            Vector256<float> w = Vector256.Create(p[j]), w1 = Vector256.Create(p1[j]), value = Vector256.Load(v);
            a0 = Lanes.MultiplyAdd(w, value, a0);
            b0 = Lanes.MultiplyAdd(w1, value, b0);
            value = Vector256.Load(v + 8);
            a1 = Lanes.MultiplyAdd(w, value, a1);
            b1 = Lanes.MultiplyAdd(w1, value, b1);
            value = Vector256.Load(v + 16);
            a2 = Lanes.MultiplyAdd(w, value, a2);
            b2 = Lanes.MultiplyAdd(w1, value, b2);
            value = Vector256.Load(v + 24);
            a3 = Lanes.MultiplyAdd(w, value, a3);
            b3 = Lanes.MultiplyAdd(w1, value, b3);
        }

        a0.Store(o);
        a1.Store(o + 8);
        a2.Store(o + 16);
        a3.Store(o + 24);
        b0.Store(o1);
        b1.Store(o1 + 8);
        b2.Store(o1 + 16);
        b3.Store(o1 + 24);
    }

    /// <summary>32 elements of one head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void HalfOutput(float* p, float* v, int run, int dim, float* o)
    {
        Vector256<float> a = Vector256.Load(o), b = Vector256.Load(o + 8), c = Vector256.Load(o + 16), d = Vector256.Load(o + 24);
        for (int j = 0; j < run; j++, v += dim)
        {
            Vector256<float> w = Vector256.Create(p[j]);
            a = Lanes.MultiplyAdd(w, Vector256.Load(v), a);
            b = Lanes.MultiplyAdd(w, Vector256.Load(v + 8), b);
            c = Lanes.MultiplyAdd(w, Vector256.Load(v + 16), c);
            d = Lanes.MultiplyAdd(w, Vector256.Load(v + 24), d);
        }

        a.Store(o);
        b.Store(o + 8);
        c.Store(o + 16);
        d.Store(o + 24);
    }

    /// <summary>64 elements of one head.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void WideOutput(float* p, float* v, int run, int dim, float* o)
    {
        Vector256<float> a = Vector256.Load(o), b = Vector256.Load(o + 8), c = Vector256.Load(o + 16), d = Vector256.Load(o + 24);
        Vector256<float> e = Vector256.Load(o + 32), f = Vector256.Load(o + 40), g = Vector256.Load(o + 48), h = Vector256.Load(o + 56);
        for (int j = 0; j < run; j++, v += dim)
        {
            Vector256<float> w = Vector256.Create(p[j]);
            a = Lanes.MultiplyAdd(w, Vector256.Load(v), a);
            b = Lanes.MultiplyAdd(w, Vector256.Load(v + 8), b);
            c = Lanes.MultiplyAdd(w, Vector256.Load(v + 16), c);
            d = Lanes.MultiplyAdd(w, Vector256.Load(v + 24), d);
            e = Lanes.MultiplyAdd(w, Vector256.Load(v + 32), e);
            f = Lanes.MultiplyAdd(w, Vector256.Load(v + 40), f);
            g = Lanes.MultiplyAdd(w, Vector256.Load(v + 48), g);
            h = Lanes.MultiplyAdd(w, Vector256.Load(v + 56), h);
        }

        a.Store(o);
        b.Store(o + 8);
        c.Store(o + 16);
        d.Store(o + 24);
        e.Store(o + 32);
        f.Store(o + 40);
        g.Store(o + 48);
        h.Store(o + 56);
    }

    /// <summary>The elements of one head from <paramref name="from"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OneOutput(float* p, float* v, int run, int dim, int from, float* o)
    {
        for (int d = from; d < dim; d += Lanes.Count)
        {
            int left = dim - d;
            Vector256<float> sum = Lanes.Load(o + d, left);
            for (int j = 0; j < run; j++)
            {
                sum = Lanes.MultiplyAdd(Vector256.Create(p[j]), Lanes.Load(v + (long)j * dim + d, left), sum);
            }

            Lanes.Store(sum, o + d, left);
        }
    }
}

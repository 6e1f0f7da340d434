using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// The inner loops of attention over a run of neighbouring positions. Every score is one accumulator of eight lanes over the head, every output
/// element takes positions in ascending order: how many heads or positions share a load never shows.
/// </summary>
internal static unsafe class AttentionMath
{
    /// <summary>scores[g, j] = q_g · k_j for all heads of a group and <paramref name="run"/> positions.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scores(float* q, int qStride, int group, float* keys, int run, int dim, float* scores, int scoreStride)
    {
        int g = 0;
        for (; g + 4 <= group; g += 4)
        {
            float* q0 = q + g * qStride;
            for (int j = 0; j < run; j++)
            {
                FourHeads(q0, qStride, keys + (long)j * dim, dim, scores + g * scoreStride + j, scoreStride);
            }
        }

        for (; g < group; g++)
        {
            int j = 0;
            for (; j + 4 <= run; j += 4)
            {
                FourKeys(q + g * qStride, keys + (long)j * dim, dim, scores + g * scoreStride + j);
            }

            for (; j < run; j++)
            {
                scores[g * scoreStride + j] = Dot(q + g * qStride, keys + (long)j * dim, dim);
            }
        }
    }

    /// <summary>
    /// Turns scores into exponentials in place: x = scale·score, capped, then e^(x − max); gives the maximum and the sum. The row is padded to a
    /// multiple of eight, for which its buffer has room.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Exponentials(float* scores, int count, float scale, float softCap, out float max, out float sum)
    {
        Vector256<float> largest = Vector256.Create(float.NegativeInfinity);
        for (int j = 0; j < count; j += Lanes.Count)
        {
            Vector256<float> x = Lanes.Load(scores + j, count - j) * scale;
            if (softCap != 0)
            {
                x = VectorMath.Tanh(x / Vector256.Create(softCap)) * softCap;
            }

            if (count - j < Lanes.Count)
            {
                Lanes.Store(x, scores + j, count - j);
                x = Lanes.Load(scores + j, count - j, float.NegativeInfinity);
            }

            x.Store(scores + j);
            largest = Vector256.Max(largest, x);
        }

        max = Lanes.Max(largest);
        Vector256<float> center = Vector256.Create(max), total = default;
        for (int j = 0; j < count; j += Lanes.Count)
        {
            Vector256<float> e = VectorMath.Exp(Vector256.Load(scores + j) - center);
            e.Store(scores + j);
            total += e;
        }

        sum = Lanes.Sum(total);
    }

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

        for (; g < group; g++)
        {
            int d = 0;
            for (; d + 64 <= dim; d += 64)
            {
                WideOutput(weights + g * weightStride, values + d, run, dim, output + g * outputStride + d);
            }

            OneOutput(weights + g * weightStride, values, run, dim, d, output + g * outputStride);
        }
    }

    /// <summary>Merges a later chunk's (max, Σe, Σe·v) into <paramref name="total"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Merge(float* total, float* part, int dim)
    {
        float max = MathF.Max(total[0], part[0]);
        Vector256<float> a = VectorMath.Exp(Vector256.Create(total[0] - max)), b = VectorMath.Exp(Vector256.Create(part[0] - max));
        float scaleTotal = a.ToScalar(), scalePart = b.ToScalar();
        total[0] = max;
        total[1] = total[1] * scaleTotal + part[1] * scalePart;
        for (int i = 0; i < dim; i += Lanes.Count)
        {
            float* target = total + 2 + i;
            Lanes.Store(Lanes.Load(target, dim - i) * a + Lanes.Load(part + 2 + i, dim - i) * b, target, dim - i);
        }
    }

    /// <summary>target = source / divisor.</summary>
    public static void Divide(float* source, float divisor, float* target, int count)
    {
        Vector256<float> d = Vector256.Create(divisor);
        for (int i = 0; i < count; i += Lanes.Count)
        {
            Lanes.Store(Lanes.Load(source + i, count - i) / d, target + i, count - i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Rest(float* q, float* k, int from, int dim, float sum)
    {
        for (int i = from; i < dim; i++)
        {
            sum = Lanes.MultiplyAdd(q[i], k[i], sum);
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourHeads(float* q, int qStride, float* k, int dim, float* scores, int scoreStride)
    {
        Vector256<float> a = default, b = default, c = default, d = default;
        float* q1 = q + qStride, q2 = q1 + qStride, q3 = q2 + qStride;
        int i = 0;
        for (; i + 8 <= dim; i += 8)
        {
            Vector256<float> ki = Vector256.Load(k + i);
            a = Lanes.MultiplyAdd(Vector256.Load(q + i), ki, a);
            b = Lanes.MultiplyAdd(Vector256.Load(q1 + i), ki, b);
            c = Lanes.MultiplyAdd(Vector256.Load(q2 + i), ki, c);
            d = Lanes.MultiplyAdd(Vector256.Load(q3 + i), ki, d);
        }

        scores[0] = Rest(q, k, i, dim, Lanes.Sum(a));
        scores[scoreStride] = Rest(q1, k, i, dim, Lanes.Sum(b));
        scores[2 * scoreStride] = Rest(q2, k, i, dim, Lanes.Sum(c));
        scores[3 * scoreStride] = Rest(q3, k, i, dim, Lanes.Sum(d));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void FourKeys(float* q, float* k, int dim, float* scores)
    {
        Vector256<float> a = default, b = default, c = default, d = default;
        float* k1 = k + dim, k2 = k1 + dim, k3 = k2 + dim;
        int i = 0;
        for (; i + 8 <= dim; i += 8)
        {
            Vector256<float> qi = Vector256.Load(q + i);
            a = Lanes.MultiplyAdd(qi, Vector256.Load(k + i), a);
            b = Lanes.MultiplyAdd(qi, Vector256.Load(k1 + i), b);
            c = Lanes.MultiplyAdd(qi, Vector256.Load(k2 + i), c);
            d = Lanes.MultiplyAdd(qi, Vector256.Load(k3 + i), d);
        }

        scores[0] = Rest(q, k, i, dim, Lanes.Sum(a));
        scores[1] = Rest(q, k1, i, dim, Lanes.Sum(b));
        scores[2] = Rest(q, k2, i, dim, Lanes.Sum(c));
        scores[3] = Rest(q, k3, i, dim, Lanes.Sum(d));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Dot(float* q, float* k, int dim)
    {
        Vector256<float> a = default;
        int i = 0;
        for (; i + 8 <= dim; i += 8)
        {
            a = Lanes.MultiplyAdd(Vector256.Load(q + i), Vector256.Load(k + i), a);
        }

        return Rest(q, k, i, dim, Lanes.Sum(a));
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

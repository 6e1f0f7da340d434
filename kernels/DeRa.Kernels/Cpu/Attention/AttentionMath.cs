using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// The inner loops of attention over a run of neighbouring positions. Every score is one accumulator of eight lanes over the head, every output
/// element takes positions in ascending order: how many heads or positions share a load never shows.
/// </summary>
internal static unsafe partial class AttentionMath
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

        for (; g + 2 <= group; g += 2)
        {
            float* q0 = q + g * qStride, target = scores + g * scoreStride;
            int j = 0;
            for (; j + 4 <= run; j += 4)
            {
                TwoHeadsFourKeys(q0, qStride, keys + (long)j * dim, dim, target + j, scoreStride);
            }

            for (; j < run; j++)
            {
                target[j] = Dot(q0, keys + (long)j * dim, dim);
                target[scoreStride + j] = Dot(q0 + qStride, keys + (long)j * dim, dim);
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

        Vector128<float> sums = Lanes.Sums(a, b, c, d);
        scores[0] = Rest(q, k, i, dim, sums.GetElement(0));
        scores[scoreStride] = Rest(q1, k, i, dim, sums.GetElement(1));
        scores[2 * scoreStride] = Rest(q2, k, i, dim, sums.GetElement(2));
        scores[3 * scoreStride] = Rest(q3, k, i, dim, sums.GetElement(3));
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

        Lanes.Sums(a, b, c, d).Store(scores);
        RestOfFour(q, k, i, dim, scores);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TwoHeadsFourKeys(float* q, int qStride, float* k, int dim, float* scores, int scoreStride)
    {
        Vector256<float> a = default, b = default, c = default, d = default, e = default, f = default, g = default, h = default;
        float* r = q + qStride, k1 = k + dim, k2 = k1 + dim, k3 = k2 + dim;
        int i = 0;
        for (; i + 8 <= dim; i += 8)
        {
            Vector256<float> qi = Vector256.Load(q + i), ri = Vector256.Load(r + i), ki = Vector256.Load(k + i);
            a = Lanes.MultiplyAdd(qi, ki, a);
            e = Lanes.MultiplyAdd(ri, ki, e);
            ki = Vector256.Load(k1 + i);
            b = Lanes.MultiplyAdd(qi, ki, b);
            f = Lanes.MultiplyAdd(ri, ki, f);
            ki = Vector256.Load(k2 + i);
            c = Lanes.MultiplyAdd(qi, ki, c);
            g = Lanes.MultiplyAdd(ri, ki, g);
            ki = Vector256.Load(k3 + i);
            d = Lanes.MultiplyAdd(qi, ki, d);
            h = Lanes.MultiplyAdd(ri, ki, h);
        }

        Lanes.Sums(a, b, c, d).Store(scores);
        Lanes.Sums(e, f, g, h).Store(scores + scoreStride);
        RestOfFour(q, k, i, dim, scores);
        RestOfFour(r, k, i, dim, scores + scoreStride);
    }

    /// <summary>The elements past the last whole vector, for four keys.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RestOfFour(float* q, float* k, int from, int dim, float* scores)
    {
        for (int j = 0; j < 4 && from < dim; j++)
        {
            scores[j] = Rest(q, k + (long)j * dim, from, dim, scores[j]);
        }
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
}

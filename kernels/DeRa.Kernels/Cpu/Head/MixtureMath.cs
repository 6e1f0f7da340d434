using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>Element-wise and summing steps over a row of logits, padded with −∞ to a multiple of eight.</summary>
internal static unsafe class MixtureMath
{
    /// <summary>
    /// z = (1 − λ)·z_r + λ·z_a. λ = 0 and 1 take one model's logits as they are, and equal logits stay what they are, so that −∞ in one model
    /// or both does not become NaN there.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Mix(float* reference, float* aligned, float lambda, float* z, int count)
    {
        for (int i = 0; i < count; i += Lanes.Count)
        {
            int left = count - i;
            Lanes.Store(Mix(Lanes.Load(reference + i, left), Lanes.Load(aligned + i, left), lambda), z + i, left);
        }
    }

    /// <summary>Eight lanes of the mixture.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Mix(Vector256<float> reference, Vector256<float> aligned, float lambda)
    {
        if (lambda == 0)
        {
            return reference;
        }

        if (lambda == 1)
        {
            return aligned;
        }

        Vector256<float> mixed = Lanes.MultiplyAdd(aligned, Vector256.Create(lambda), reference * (1 - lambda));
        return Vector256.ConditionalSelect(Vector256.Equals(reference, aligned), aligned, mixed);
    }

    /// <summary>The largest element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Max(float* z, int count)
    {
        Vector256<float> max = Vector256.Create(float.NegativeInfinity);
        for (int i = 0; i < count; i += Lanes.Count)
        {
            max = Vector256.Max(max, Lanes.Load(z + i, count - i, float.NegativeInfinity));
        }

        return Lanes.Max(max);
    }

    /// <summary>Σ e^(z − max); 0 for a row of −∞.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float SumExp(float* z, int count, float max)
    {
        if (float.IsNegativeInfinity(max))
        {
            return 0;
        }

        Vector256<float> sum = default, center = Vector256.Create(max);
        for (int i = 0; i < count; i += Lanes.Count)
        {
            sum += VectorMath.Exp(Lanes.Load(z + i, count - i, float.NegativeInfinity) - center);
        }

        return Lanes.Sum(sum);
    }

    /// <summary>Σ e^(z − max) and Σ e^(z − max)·(z_a − z_r); entries without mass add nothing whatever their difference.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float SumExp(float* z, float* reference, float* aligned, int count, float max, out float weighted)
    {
        weighted = 0;
        if (float.IsNegativeInfinity(max))
        {
            return 0;
        }

        Vector256<float> sum = default, difference = default, center = Vector256.Create(max);
        for (int i = 0; i < count; i += Lanes.Count)
        {
            Vector256<float> e = VectorMath.Exp(Vector256.Load(z + i) - center);
            Vector256<float> d = Vector256.Load(aligned + i) - Vector256.Load(reference + i);
            d = Vector256.ConditionalSelect(Vector256.Equals(e, Vector256<float>.Zero), Vector256<float>.Zero, d);
            sum += e;
            difference = Lanes.MultiplyAdd(e, d, difference);
        }

        weighted = Lanes.Sum(difference);
        return Lanes.Sum(sum);
    }

    /// <summary>Index of the largest element, the lowest among equals; 0 where nothing exceeds −∞.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int ArgMax(float* z, int count)
    {
        float max = Max(z, count);
        for (int i = 0; i < count; i++)
        {
            if (z[i] == max)
            {
                return i;
            }
        }

        return 0;
    }

    /// <summary>s = z / T in place. Adding 0 turns −0 into 0, which equals it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Divide(float* z, int count, float temperature)
    {
        Vector256<float> t = Vector256.Create(temperature);
        for (int i = 0; i < count; i += Lanes.Count)
        {
            Lanes.Store(Lanes.Load(z + i, count - i) / t + Vector256<float>.Zero, z + i, count - i);
        }
    }

    /// <summary>Replaces what lies below a threshold by −∞.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Cut(float* s, int count, float threshold)
    {
        for (int i = 0; i < count; i += Lanes.Count)
        {
            Vector256<float> value = Lanes.Load(s + i, count - i);
            Vector256<float> kept = Vector256.GreaterThanOrEqual(value, Vector256.Create(threshold));
            Lanes.Store(Vector256.ConditionalSelect(kept, value, Vector256.Create(float.NegativeInfinity)), s + i, count - i);
        }
    }
}

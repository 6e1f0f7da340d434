using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// One row of logits of one tile under one λ: max z, Σ e^(z − max) and Σ e^(z − max)·(z_a − z_r) of z = (1 − λ)·z_r + λ·z_a. Two passes, the first
/// for the maximum. This is what a further λ costs, so vectors are as wide as the processor has them, and two are under way at a time.
/// </summary>
internal static unsafe class ScoreMath
{
    /// <summary>Folds a row.</summary>
    /// <param name="reference">z_r, padded with −∞ to a multiple of eight; readable and writable up to the tile's width.</param>
    /// <param name="aligned">z_a, likewise.</param>
    /// <param name="lambda">λ.</param>
    /// <param name="z">Room for the mixture.</param>
    /// <param name="count">Entries.</param>
    public static ExponentialSum Fold(float* reference, float* aligned, float lambda, float* z, int count)
    {
        if (Vector512.IsHardwareAccelerated && count % 32 == 0)
        {
            return Fold512(reference, aligned, lambda, z, count);
        }

        float max = MixAndMax(reference, aligned, lambda, z, count);
        float sum = MixtureMath.SumExp(z, reference, aligned, count, max, out float weighted);
        return new ExponentialSum { Max = max, Sum = sum, Weighted = weighted };
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float MixAndMax(float* reference, float* aligned, float lambda, float* z, int count)
    {
        Vector256<float> max = Vector256.Create(float.NegativeInfinity);
        for (int i = 0; i < count; i += Lanes.Count)
        {
            Vector256<float> mixed = MixtureMath.Mix(Vector256.Load(reference + i), Vector256.Load(aligned + i), lambda);
            mixed.Store(z + i);
            max = Vector256.Max(max, mixed);
        }

        return Lanes.Max(max);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ExponentialSum Fold512(float* reference, float* aligned, float lambda, float* z, int count)
    {
        Vector512<float> max0 = Vector512.Create(float.NegativeInfinity), max1 = max0;
        if (lambda == 0 || lambda == 1)
        {
            z = lambda == 0 ? reference : aligned;
            for (int i = 0; i < count; i += 32)
            {
                max0 = Vector512.Max(max0, Vector512.Load(z + i));
                max1 = Vector512.Max(max1, Vector512.Load(z + i + 16));
            }
        }
        else
        {
            for (int i = 0; i < count; i += 32)
            {
                Vector512<float> first = Mix(Vector512.Load(reference + i), Vector512.Load(aligned + i), lambda);
                Vector512<float> second = Mix(Vector512.Load(reference + i + 16), Vector512.Load(aligned + i + 16), lambda);
                first.Store(z + i);
                second.Store(z + i + 16);
                max0 = Vector512.Max(max0, first);
                max1 = Vector512.Max(max1, second);
            }
        }

        max0 = Vector512.Max(max0, max1);
        float max = Lanes.Max(Vector256.Max(max0.GetLower(), max0.GetUpper()));
        if (float.IsNegativeInfinity(max))
        {
            return new ExponentialSum { Max = max };
        }

        Vector512<float> sum0 = default, sum1 = default, weighted0 = default, weighted1 = default, center = Vector512.Create(max);
        for (int i = 0; i < count; i += 32)
        {
            Vector512<float> e0 = VectorMath.Exp(Vector512.Load(z + i) - center), e1 = VectorMath.Exp(Vector512.Load(z + i + 16) - center);
            weighted0 = Lanes.MultiplyAdd(e0, Difference(reference + i, aligned + i, e0), weighted0);
            weighted1 = Lanes.MultiplyAdd(e1, Difference(reference + i + 16, aligned + i + 16, e1), weighted1);
            sum0 += e0;
            sum1 += e1;
        }

        return new ExponentialSum { Max = max, Sum = Lanes.Sum(sum0 + sum1), Weighted = Lanes.Sum(weighted0 + weighted1) };
    }

    /// <summary>Sixteen lanes of <see cref="MixtureMath.Mix(Vector256{float}, Vector256{float}, float)"/> for λ other than 0 and 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Mix(Vector512<float> reference, Vector512<float> aligned, float lambda)
    {
        Vector512<float> mixed = Lanes.MultiplyAdd(aligned, Vector512.Create(lambda), reference * (1 - lambda));
        return Vector512.ConditionalSelect(Vector512.Equals(reference, aligned), aligned, mixed);
    }

    /// <summary>z_a − z_r where there is mass, else 0: −∞ in both models must not become NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Difference(float* reference, float* aligned, Vector512<float> mass)
    {
        Vector512<float> d = Vector512.Load(aligned) - Vector512.Load(reference);
        return Vector512.ConditionalSelect(Vector512.Equals(mass, Vector512<float>.Zero), Vector512<float>.Zero, d);
    }
}

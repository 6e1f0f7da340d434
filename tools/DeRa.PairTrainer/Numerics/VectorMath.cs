using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace DeRa.PairTrainer.Numerics;

/// <summary>Small vector operations. Vectors are cut in 64-byte pieces; a shorter rest is done one element at a time.</summary>
internal static class VectorMath
{
    /// <summary>Σ x_i·y_i.</summary>
    public static T Dot<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ref T px = ref MemoryMarshal.GetReference(x);
        ref T py = ref MemoryMarshal.GetReference(y);
        Vector512<T> sum = default;
        int i = 0;
        for (; i + Vector512<T>.Count <= x.Length; i += Vector512<T>.Count)
            sum += Vector512.LoadUnsafe(ref px, (nuint)i) * Vector512.LoadUnsafe(ref py, (nuint)i);
        T total = Vector512.Sum(sum);
        for (; i < x.Length; i++)
            total += x[i] * y[i];
        return total;
    }

    /// <summary>y += scale·x.</summary>
    public static void AddScaled<T>(Span<T> y, T scale, ReadOnlySpan<T> x)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        ref T px = ref MemoryMarshal.GetReference(x);
        ref T py = ref MemoryMarshal.GetReference(y);
        Vector512<T> factor = Vector512.Create(scale);
        int i = 0;
        for (; i + Vector512<T>.Count <= x.Length; i += Vector512<T>.Count)
            (Vector512.LoadUnsafe(ref py, (nuint)i) + factor * Vector512.LoadUnsafe(ref px, (nuint)i)).StoreUnsafe(ref py, (nuint)i);
        for (; i < x.Length; i++)
            y[i] += scale * x[i];
    }

    /// <summary>Replaces scores by probabilities.</summary>
    public static void Softmax<T>(Span<T> row)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T max = Max<T>(row);
        T sum = T.Zero;
        for (int i = 0; i < row.Length; i++)
        {
            row[i] = T.Exp(row[i] - max);
            sum += row[i];
        }

        T scale = T.One / sum;
        for (int i = 0; i < row.Length; i++)
            row[i] *= scale;
    }

    /// <summary>log Σ exp(x_i), with the maximum taken out first.</summary>
    public static T LogSumExp<T>(ReadOnlySpan<T> row)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T max = Max(row);
        T sum = T.Zero;
        foreach (T value in row)
            sum += T.Exp(value - max);
        return max + T.Log(sum);
    }

    private static T Max<T>(ReadOnlySpan<T> row)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T max = row[0];
        foreach (T value in row)
            max = T.Max(max, value);
        return max;
    }
}

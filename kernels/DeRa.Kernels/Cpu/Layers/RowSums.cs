using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>Sums over one row in one order: two accumulators of eight lanes over 16 elements at a time, added at the end.</summary>
internal static unsafe class RowSums
{
    /// <summary>Σ (x − shift)².</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Squares(float* x, int count, float shift)
    {
        Vector256<float> a = default, b = default, center = Vector256.Create(shift);
        int i = 0;
        for (; i + 16 <= count; i += 16)
        {
            Vector256<float> low = Vector256.Load(x + i) - center, high = Vector256.Load(x + i + 8) - center;
            a = Lanes.MultiplyAdd(low, low, a);
            b = Lanes.MultiplyAdd(high, high, b);
        }

        for (; i < count; i += Lanes.Count)
        {
            Vector256<float> low = Lanes.Load(x + i, count - i, shift) - center; // padding counts as the shift itself: nothing
            a = Lanes.MultiplyAdd(low, low, a);
        }

        return Lanes.Sum(a + b);
    }

    /// <summary>Σ x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Values(float* x, int count)
    {
        Vector256<float> a = default, b = default;
        int i = 0;
        for (; i + 16 <= count; i += 16)
        {
            a += Vector256.Load(x + i);
            b += Vector256.Load(x + i + 8);
        }

        for (; i < count; i += Lanes.Count)
        {
            a += Lanes.Load(x + i, count - i);
        }

        return Lanes.Sum(a + b);
    }
}

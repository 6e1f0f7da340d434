using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// Brings activation rows into the order in which a weight format's halves come: each 16 elements as the 8 even-indexed, then the 8 odd-indexed
/// ones, or as they are; padded with zeros to a multiple of 16.
/// </summary>
internal static unsafe class Arrangement
{
    /// <summary>Floats of an arranged row.</summary>
    public static int Padded(int k) => (k + 15) & ~15;

    /// <summary>Arranges one row of <paramref name="k"/> floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(float* source, int k, bool evenOdd, float* target)
    {
        int i = 0;
        for (; i + 16 <= k; i += 16)
        {
            Block(source + i, evenOdd, target + i);
        }

        if (i < k)
        {
            float* last = stackalloc float[16];
            for (int j = 0; j < 16; j++)
            {
                last[j] = i + j < k ? source[i + j] : 0;
            }

            Block(last, evenOdd, target + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Block(float* source, bool evenOdd, float* target)
    {
        Vector256<float> low = Vector256.Load(source), high = Vector256.Load(source + 8);
        if (!evenOdd)
        {
            low.Store(target);
            high.Store(target + 8);
        }
        else if (Avx2.IsSupported)
        {
            // shufps works within 128-bit halves: [0 2 8 10 | 4 6 12 14]; exchanging the middle quarters puts them in order.
            Avx2.Permute4x64(Avx.Shuffle(low, high, 0b10_00_10_00).AsDouble(), 0b11_01_10_00).AsSingle().Store(target);
            Avx2.Permute4x64(Avx.Shuffle(low, high, 0b11_01_11_01).AsDouble(), 0b11_01_10_00).AsSingle().Store(target + 8);
        }
        else
        {
            for (int j = 0; j < 8; j++)
            {
                target[j] = source[2 * j];
                target[8 + j] = source[2 * j + 1];
            }
        }
    }
}

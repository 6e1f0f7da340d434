using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// Brings activation rows into the order in which a weight format's halves come: each block of two vectors as its even-indexed, then its odd-indexed
/// elements, or as they are; padded with zeros to whole blocks.
/// </summary>
internal static unsafe class Arrangement
{
    /// <summary>Elements of a block: two vectors of 16 lanes where the processor has them and they pay, else of 8.</summary>
    public static int Block
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512.IsHardwareAccelerated ? 32 : 16;
    }

    /// <summary>Floats of an arranged row.</summary>
    public static int Padded(int k) => (k + Block - 1) / Block * Block;

    /// <summary>Arranges one row of <paramref name="k"/> floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(float* source, int k, bool evenOdd, float* target)
    {
        int i = 0;
        for (; i + Block <= k; i += Block)
        {
            ArrangeBlock(source + i, evenOdd, target + i);
        }

        if (i < k)
        {
            float* last = stackalloc float[32];
            for (int j = 0; j < Block; j++)
            {
                last[j] = i + j < k ? source[i + j] : 0;
            }

            ArrangeBlock(last, evenOdd, target + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ArrangeBlock(float* source, bool evenOdd, float* target)
    {
        int half = Block / 2;
        for (int j = 0; j < half; j += 8)
        {
            Vector256<float> low = Vector256.Load(source + 2 * j), high = Vector256.Load(source + 2 * j + 8);
            if (!evenOdd)
            {
                low.Store(target + 2 * j);
                high.Store(target + 2 * j + 8);
            }
            else if (Avx2.IsSupported)
            {
                // shufps works within 128-bit halves: [0 2 8 10 | 4 6 12 14]; exchanging the middle quarters puts them in order.
                Avx2.Permute4x64(Avx.Shuffle(low, high, 0b10_00_10_00).AsDouble(), 0b11_01_10_00).AsSingle().Store(target + j);
                Avx2.Permute4x64(Avx.Shuffle(low, high, 0b11_01_11_01).AsDouble(), 0b11_01_10_00).AsSingle().Store(target + half + j);
            }
            else
            {
                for (int l = 0; l < 8; l++)
                {
                    target[j + l] = source[2 * (j + l)];
                    target[half + j + l] = source[2 * (j + l) + 1];
                }
            }
        }
    }
}

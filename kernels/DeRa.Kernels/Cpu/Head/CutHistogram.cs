using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// Tokens and mass per digit of their value, for values that share the digits found so far. Mass is counted in integers (2^40 for the most likely
/// token), so that any order of additions, by any number of workers, gives the same sums.
/// </summary>
internal unsafe struct CutHistogram
{
    /// <summary>Bins: 11 bits of a value.</summary>
    public const int Bins = 2048;

    /// <summary>Mass of the most likely token.</summary>
    public const double One = 1L << 40;

    /// <summary>Tokens per bin.</summary>
    public fixed int Counts[Bins];

    /// <summary>Mass per bin.</summary>
    public fixed long Masses[Bins];

    /// <summary>Mass of a value relative to the largest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Mass(float exponential) => (long)(exponential * (float)One);

    /// <summary>Mass of one value; the same as <see cref="Add"/> counts.</summary>
    public static long MassOf(float value, float max) => Mass(VectorMath.Exp(Vector256.Create(value - max)).ToScalar());

    /// <summary>Counts values whose upper digits are <paramref name="cut"/>'s. Other workers may do the same.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(float* values, int count, RowCut* cut)
    {
        int shift = cut->Shift, mask = cut->BinCount - 1;
        float* exponentials = stackalloc float[Lanes.Count];
        for (int i = 0; i < count; i += Lanes.Count)
        {
            VectorMath.Exp(Lanes.Load(values + i, count - i) - Vector256.Create(cut->Max)).Store(exponentials);
            for (int j = 0; j < Math.Min(Lanes.Count, count - i); j++)
            {
                uint key = OrderedBits.Of(values[i + j]);
                if (!cut->Matches(key))
                {
                    continue;
                }

                int bin = (int)(key >> shift) & mask;
                Interlocked.Increment(ref Counts[bin]);
                Interlocked.Add(ref Masses[bin], Mass(exponentials[j]));
            }
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear() => this = default;
}

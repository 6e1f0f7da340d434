using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>A token and the value it competes with.</summary>
internal struct Candidate
{
    /// <summary>s or z.</summary>
    public float Value;

    /// <summary>Token id.</summary>
    public int Token;
}

/// <summary>
/// A bounded, unsorted list of the best of a row. What does not fit is remembered by its largest value only: entries above that are exact.
/// </summary>
internal unsafe struct Candidates(Candidate* list, int capacity)
{
    private readonly Candidate* list = list;
    private readonly int capacity = capacity;
    private int worst; // index of the entry to go next, once full

    /// <summary>Entries in the list.</summary>
    public int Count { get; private set; }

    /// <summary>Largest value left out; −∞ if nothing above it was.</summary>
    public float Discarded { get; private set; } = float.NegativeInfinity;

    /// <summary>Offers values of neighbouring tokens; ranges come in ascending order, so an equal of the worst entry cannot displace it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Offer(float* values, int firstToken, int count)
    {
        for (int i = 0; i < count; i += Lanes.Count)
        {
            if (Count == capacity)
            {
                Vector256<float> eight = Lanes.Load(values + i, count - i, float.NegativeInfinity);
                if (!Vector256.GreaterThanAny(eight, Vector256.Create(list[worst].Value)))
                {
                    Discarded = MathF.Max(Discarded, Lanes.Max(eight));
                    continue;
                }
            }

            for (int j = i; j < Math.Min(i + Lanes.Count, count); j++)
            {
                Offer(new Candidate { Value = values[j], Token = firstToken + j });
            }
        }
    }

    /// <summary>Offers one; among equals the lower token stays.</summary>
    public void Offer(Candidate candidate)
    {
        if (Count < capacity)
        {
            list[Count++] = candidate;
            if (Count == capacity)
            {
                FindWorst();
            }
        }
        else if (capacity > 0 && Before(candidate, list[worst]))
        {
            Discarded = MathF.Max(Discarded, list[worst].Value);
            list[worst] = candidate;
            FindWorst();
        }
        else
        {
            Discarded = MathF.Max(Discarded, candidate.Value);
        }
    }

    /// <summary>Sorts a list: largest value first, the lower token among equals. Insertion sort: lists are short.</summary>
    public static void Sort(Candidate* list, int count)
    {
        for (int i = 1; i < count; i++)
        {
            Candidate moving = list[i];
            int j = i;
            for (; j > 0 && Before(moving, list[j - 1]); j--)
            {
                list[j] = list[j - 1];
            }

            list[j] = moving;
        }
    }

    /// <summary>Sorts a list of any length by the same order.</summary>
    public static void SortLong(Candidate* list, int count)
    {
        // Value and inverted token in one integer: ascending order, then reversed.
        var keys = new Span<ulong>(list, count);
        for (int i = 0; i < count; i++)
        {
            keys[i] = ((ulong)OrderedBits.Of(list[i].Value + 0f) << 32) | ~(uint)list[i].Token;
        }

        keys.Sort();
        keys.Reverse();
        for (int i = 0; i < count; i++)
        {
            ulong key = keys[i];
            list[i] = new Candidate { Value = OrderedBits.ToSingle((uint)(key >> 32)), Token = (int)~(uint)key };
        }
    }

    private static bool Before(Candidate a, Candidate b) => a.Value > b.Value || (a.Value == b.Value && a.Token < b.Token);

    private void FindWorst()
    {
        worst = 0;
        for (int i = 1; i < Count; i++)
        {
            if (Before(list[worst], list[i]))
            {
                worst = i;
            }
        }
    }
}

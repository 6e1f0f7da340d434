using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>Floats as integers of the same order.</summary>
internal static class OrderedBits
{
    /// <summary>The order-preserving integer; both zeros have one.</summary>
    public static uint Of(float value)
    {
        uint bits = Interop.FloatAsInt(value == 0f ? 0f : value);
        return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
    }
}

/// <summary>
/// Step 4 of the definition of <see cref="HeadRow"/>. Every cut keeps the scores from some threshold on: top-k and top-p those whose strictly
/// larger scores weigh less than a target, by count or by mass. The threshold is searched bit by bit: exact, without sorting or atomics.
/// </summary>
internal static class Cut
{
    /// <summary>Whether top-k removes anything.</summary>
    public static bool HasTopK(HeadRow row, int vocabulary) => row.TopK > 0 && row.TopK < vocabulary;

    /// <summary>Whether a row's draw depends on a cut.</summary>
    public static bool IsNeeded(HeadRow row, int vocabulary) =>
        row.Temperature != 0f && (HasTopK(row, vocabulary) || row.TopP < 1f || row.MinP > 0f);

    /// <summary>The mass strictly above a kept score; the most likely score is kept for every p.</summary>
    public static float MassTarget(HeadRow row, float total)
    {
        float target = row.TopP * total;
        return target > 1e-30f ? target : 1e-30f;
    }

    /// <summary>The least score that min-p keeps.</summary>
    public static uint LeastByMinP(HeadRow row, float max) => row.MinP > 0f ? OrderedBits.Of(max + MathF.Log(row.MinP)) : 0u;

    /// <summary>
    /// The smallest u such that the scores above u, counted or by their mass e^(s − max), weigh less than the target. Called by every member of
    /// the group.
    /// </summary>
    public static uint Search<TForm>(
        ArrayView<float> scores, long first, int count, float max, bool byMass, float target, ArrayView<float> scratch)
        where TForm : struct, IGroupForm
    {
        uint u = 0;
        for (int bit = 31; bit >= 0; bit--)
        {
            uint highest = u | ((1u << bit) - 1u); // of those with this bit clear
            float weight = Team.Sum<TForm>(scratch, Weight(scores, first, count, max, byMass, highest));
            if (!(weight < target))
            {
                u |= 1u << bit;
            }
        }

        return u;
    }

    /// <summary>This work-item's share of the weight of the scores above u.</summary>
    public static float Weight(ArrayView<float> scores, long first, int count, float max, bool byMass, uint u)
    {
        float weight = 0;
        for (int i = Group.IdxX; i < count; i += Group.DimX)
        {
            float score = scores[first + i];
            if (OrderedBits.Of(score) > u)
            {
                weight += byMass ? MathF.Exp(score - max) : 1f;
            }
        }

        return weight;
    }

    /// <summary>
    /// The threshold of a row from scores that hold at least all above <paramref name="bound"/>; <see cref="CutThreshold.IsSettled"/> says
    /// whether that was enough. Called by every member of the group.
    /// </summary>
    /// <param name="scores">The scores.</param>
    /// <param name="first">The first of them.</param>
    /// <param name="count">How many.</param>
    /// <param name="bound">The largest score missing; −∞ when none is.</param>
    /// <param name="all">Maximum and sum of e^(s − max) over the whole vocabulary.</param>
    /// <param name="row">The row.</param>
    /// <param name="vocabulary">Number of tokens.</param>
    /// <param name="scratch">A float for each work-item.</param>
    public static CutThreshold Threshold<TForm>(
        ArrayView<float> scores, long first, int count, float bound, RunningMoment all, HeadRow row, int vocabulary,
        ArrayView<float> scratch)
        where TForm : struct, IGroupForm
    {
        uint least = LeastByMinP(row, all.Max), known = OrderedBits.Of(bound);
        bool complete = bound == float.NegativeInfinity, settled = true;
        float total = all.Sum;
        if (HasTopK(row, vocabulary))
        {
            uint byCount = Search<TForm>(scores, first, count, all.Max, false, row.TopK, scratch);
            total = Team.Sum<TForm>(scratch, Weight(scores, first, count, all.Max, true, byCount == 0u ? 0u : byCount - 1u));
            settled = complete || byCount > known || !(row.TopP < 1f);
            least = byCount > least ? byCount : least;
        }

        if (row.TopP < 1f)
        {
            uint byMass = Search<TForm>(scores, first, count, all.Max, true, MassTarget(row, total), scratch);
            least = byMass > least ? byMass : least;
        }

        return new() { Least = least, IsSettled = settled && (complete || least > known) ? 1 : 0 };
    }
}

/// <summary>The ordered bits of the least score kept.</summary>
internal struct CutThreshold
{
    public uint Least;
    public int IsSettled;
}

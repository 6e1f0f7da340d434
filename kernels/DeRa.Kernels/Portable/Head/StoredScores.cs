using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>Steps 2 to 4 of the definition of <see cref="HeadRow"/> over one row of stored logits. Called by every member of the group.</summary>
internal static class StoredScores<TForm>
    where TForm : struct, IGroupForm
{
    /// <summary>Writes s = z′/T (z′ at temperature 0) and says where the cut lies.</summary>
    /// <param name="z">Logits; the row starts at <paramref name="zFirst"/>.</param>
    /// <param name="zFirst">First logit.</param>
    /// <param name="row">The row.</param>
    /// <param name="adjustments">All rows' entries.</param>
    /// <param name="scores">Receives s from <paramref name="first"/> on.</param>
    /// <param name="first">First score.</param>
    /// <param name="columns">Tokens.</param>
    /// <param name="memory">Shared memory.</param>
    public static StoredSums Fill(
        ArrayView<float> z, long zFirst, HeadRow row, ArrayView<TokenAdjustment> adjustments, ArrayView<float> scores, long first, int columns,
        HeadMemory memory)
    {
        RunningMoment plain = RunningMoment.Empty(), adjusted = RunningMoment.Empty();
        int end = row.AdjustmentStart + row.AdjustmentCount;
        for (int i = Group.IdxX; i < columns; i += Group.DimX)
        {
            float logit = z[zFirst + i], score = logit;
            int at = Adjustment.First(adjustments, row.AdjustmentStart, end, i);
            if (at < end && adjustments[at].TokenId == i)
            {
                score = Adjustment.Apply(adjustments[at], row, logit);
            }

            score = row.Temperature == 0f ? score : score / row.Temperature;
            scores[first + i] = score;
            plain = RunningMoment.Add(plain, logit, 0f);
            adjusted = RunningMoment.Add(adjusted, score, 0f);
        }

        plain = Merged(memory, plain);
        adjusted = Merged(memory, adjusted);
        uint least = 0;
        if (Cut.IsNeeded(row, columns) && adjusted.Sum > 0)
        {
            least = Cut.Threshold<TForm>(scores, first, columns, float.NegativeInfinity, adjusted, row, columns, memory.Values).Least;
        }

        return new() { Plain = plain, Adjusted = adjusted, Least = least };
    }

    // The work-items' sums in their order.
    private static RunningMoment Merged(HeadMemory memory, RunningMoment share)
    {
        TForm.Barrier();
        memory.Folds[Group.IdxX] = new TileFold { Mixture = share };
        TForm.Barrier();
        RunningMoment all = memory.Folds[0].Mixture;
        for (int i = 1; i < Group.DimX; i++)
        {
            all = RunningMoment.Merge(all, memory.Folds[i].Mixture);
        }

        TForm.Barrier();
        return all;
    }
}

/// <summary>What one row of stored logits comes to.</summary>
internal struct StoredSums
{
    /// <summary>Of z.</summary>
    public RunningMoment Plain;

    /// <summary>Of s, before the cuts.</summary>
    public RunningMoment Adjusted;

    /// <summary>Ordered bits of the least score kept.</summary>
    public uint Least;
}

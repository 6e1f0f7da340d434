using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>Step 2 of the definition of <see cref="HeadRow"/>.</summary>
internal static class Adjustment
{
    /// <summary>Index of the first entry in [start, end) whose token is at least <paramref name="token"/>; the entries ascend.</summary>
    public static int First(ArrayView<TokenAdjustment> entries, int start, int end, int token)
    {
        while (start < end)
        {
            int middle = start + (end - start) / 2;
            if (entries[middle].TokenId < token)
            {
                start = middle + 1;
            }
            else
            {
                end = middle;
            }
        }

        return start;
    }

    /// <summary>z′ of an adjusted token.</summary>
    public static float Apply(TokenAdjustment entry, HeadRow row, float z)
    {
        if (entry.InContext != 0)
        {
            z = z > 0 ? z / row.RepetitionPenalty : z * row.RepetitionPenalty;
        }

        if (entry.OutputCount > 0)
        {
            z -= row.PresencePenalty + row.FrequencyPenalty * entry.OutputCount;
        }

        return z + entry.Bias;
    }
}

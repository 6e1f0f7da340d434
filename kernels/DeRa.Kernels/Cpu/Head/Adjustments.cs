namespace DeRa.Kernels.Cpu;

/// <summary>Penalties and biases of one row, applied to a range of the vocabulary.</summary>
internal static unsafe class Adjustments
{
    /// <summary>z → z′ for the listed tokens within [from, from + count); entries are in ascending order of token.</summary>
    /// <param name="row">The row, which says where its entries are.</param>
    /// <param name="entries">All rows' entries.</param>
    /// <param name="z">Logits of the tokens from <paramref name="from"/> on, changed in place.</param>
    /// <param name="from">First token.</param>
    /// <param name="count">Tokens.</param>
    public static void Apply(HeadRow* row, TokenAdjustment* entries, float* z, int from, int count)
    {
        TokenAdjustment* entry = entries + row->AdjustmentStart, end = entry + row->AdjustmentCount;
        for (entry = LowerBound(entry, end, from); entry < end && entry->TokenId < from + count; entry++)
        {
            float* value = z + (entry->TokenId - from);
            if (entry->InContext != 0)
            {
                *value = *value > 0 ? *value / row->RepetitionPenalty : *value * row->RepetitionPenalty;
            }

            if (entry->OutputCount > 0)
            {
                *value -= row->PresencePenalty + row->FrequencyPenalty * entry->OutputCount;
            }

            *value += entry->Bias;
        }
    }

    private static TokenAdjustment* LowerBound(TokenAdjustment* entry, TokenAdjustment* end, int token)
    {
        while (entry < end)
        {
            TokenAdjustment* middle = entry + (end - entry) / 2;
            if (middle->TokenId < token)
            {
                entry = middle + 1;
            }
            else
            {
                end = middle;
            }
        }

        return entry;
    }
}

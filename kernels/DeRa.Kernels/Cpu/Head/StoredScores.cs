namespace DeRa.Kernels.Cpu;

/// <summary>Steps 2 to 4 of the definition of <see cref="HeadRow"/> over one row of stored logits, by the radix selection of the fused head.</summary>
internal static unsafe class StoredScores
{
    /// <summary>
    /// s = z′/T with −∞ for what the cuts remove, or z′ at temperature 0. <paramref name="s"/> is padded with −∞ to a multiple of eight.
    /// </summary>
    public static void Fill(HeadRow* row, TokenAdjustment* entries, float* z, int vocabulary, CutHistogram* histogram, float* s)
    {
        new ReadOnlySpan<float>(z, vocabulary).CopyTo(new Span<float>(s, vocabulary));
        Adjustments.Apply(row, entries, s, 0, vocabulary);
        HeadSide.Pad(s, vocabulary, float.NegativeInfinity);
        if (!(row->Temperature > 0))
        {
            return;
        }

        MixtureMath.Divide(s, vocabulary, row->Temperature);
        if (RowCut.IsNeeded(row, vocabulary) && MixtureMath.Max(s, vocabulary) > float.NegativeInfinity)
        {
            MixtureMath.Cut(s, vocabulary, Threshold(row, s, vocabulary, histogram));
        }
    }

    /// <summary>Σ e^x in the tiles of the fused head, so that both see the same total.</summary>
    public static ExponentialSum SumOf(float* x, int count)
    {
        ExponentialSum total = ExponentialSum.Empty;
        for (int from = 0; from < count; from += HeadSide.Tile)
        {
            int width = Math.Min(HeadSide.Tile, count - from);
            float max = MixtureMath.Max(x + from, width);
            total.Merge(new ExponentialSum { Max = max, Sum = MixtureMath.SumExp(x + from, width, max) });
        }

        return total;
    }

    private static float Threshold(HeadRow* row, float* s, int vocabulary, CutHistogram* histogram)
    {
        ExponentialSum sum = SumOf(s, vocabulary);
        var cut = new RowCut { Max = sum.Max, Sum = sum.Sum };
        histogram->Clear();
        cut.Settle(row, null, 0, float.PositiveInfinity, vocabulary);
        while (cut.Stage != CutStage.Draw)
        {
            histogram->Add(s, vocabulary, &cut);
            cut.Advance(row, histogram);
            if (cut.IsLevelComplete)
            {
                cut.Settle(row, null, 0, float.PositiveInfinity, vocabulary);
            }
        }

        return cut.Threshold;
    }
}

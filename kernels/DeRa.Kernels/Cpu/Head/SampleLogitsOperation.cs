namespace DeRa.Kernels.Cpu;

/// <summary>
/// Adjusts, cuts and draws from stored mixture logits by the definition of <see cref="HeadRow"/>. The cut is found by the same radix selection as the
/// fused head's, without its list of candidates. Workers take rows.
/// </summary>
internal unsafe struct SampleLogitsOperation : IOperation<SampleLogitsOperation>
{
    public float* Z;
    public int ZStride;
    public int Count;
    public int Vocabulary;
    public HeadRow* Rows;
    public TokenAdjustment* Entries;
    public HeadResult* Results;

    /// <summary>Bytes of private scratch: one row and a histogram.</summary>
    public readonly long PrivateBytes => sizeof(CutHistogram) + (Vocabulary + 7L) / 8 * 8 * sizeof(float);

    public static void Run(SampleLogitsOperation* self, Worker* worker)
    {
        var histogram = (CutHistogram*)worker->Private;
        while (worker->Take(self->Count, out long from, out long to))
        {
            for (long row = from; row < to; row++)
            {
                float* z = self->Z + row * self->ZStride;
                int token = Draw(self->Rows + row, self->Entries, z, self->Vocabulary, histogram, (float*)(histogram + 1));
                self->Results[row] = new HeadResult
                {
                    Token = token,
                    LogProb = (float)(z[token] - SumOf(z, self->Vocabulary).Log),
                    LogProbReference = float.NaN,
                    LogProbAligned = float.NaN,
                    KlReference = float.NaN,
                    KlAligned = float.NaN,
                };
            }
        }
    }

    private static int Draw(HeadRow* row, TokenAdjustment* entries, float* z, int vocabulary, CutHistogram* histogram, float* s)
    {
        new ReadOnlySpan<float>(z, vocabulary).CopyTo(new Span<float>(s, vocabulary));
        Adjustments.Apply(row, entries, s, 0, vocabulary);
        HeadSide.Pad(s, vocabulary, float.NegativeInfinity);
        if (!(row->Temperature > 0))
        {
            return MixtureMath.ArgMax(s, vocabulary);
        }

        MixtureMath.Divide(s, vocabulary, row->Temperature);
        float max = MixtureMath.Max(s, vocabulary);
        if (RowCut.IsNeeded(row, vocabulary) && max > float.NegativeInfinity)
        {
            MixtureMath.Cut(s, vocabulary, Threshold(row, s, vocabulary, histogram));
        }

        var best = new Candidate { Value = float.NegativeInfinity, Token = 0 };
        GumbelArgMax.Improve(row, s, 0, vocabulary, ref best);
        return best.Token;
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

    /// <summary>Σ e^x in the tiles of the fused head, so that both see the same total.</summary>
    private static ExponentialSum SumOf(float* x, int count)
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
}

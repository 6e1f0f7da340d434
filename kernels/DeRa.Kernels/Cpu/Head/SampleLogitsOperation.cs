namespace DeRa.Kernels.Cpu;

/// <summary>Adjusts, cuts and draws from stored mixture logits by the definition of <see cref="HeadRow"/>. Workers take rows.</summary>
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
                self->Results[row] = ResultOf(token, z, self->Vocabulary);
            }
        }
    }

    /// <summary>A token with its log-probability under stored logits; nothing is known of the models.</summary>
    public static HeadResult ResultOf(int token, float* z, int vocabulary) => new()
    {
        Token = token,
        LogProb = (float)(z[token] - StoredScores.SumOf(z, vocabulary).Log),
        LogProbReference = float.NaN,
        LogProbAligned = float.NaN,
        KlReference = float.NaN,
        KlAligned = float.NaN,
    };

    private static int Draw(HeadRow* row, TokenAdjustment* entries, float* z, int vocabulary, CutHistogram* histogram, float* s)
    {
        StoredScores.Fill(row, entries, z, vocabulary, histogram, s);
        if (!(row->Temperature > 0))
        {
            return MixtureMath.ArgMax(s, vocabulary);
        }

        var best = new Candidate { Value = float.NegativeInfinity, Token = 0 };
        GumbelArgMax.Improve(row, s, 0, vocabulary, ref best);
        return best.Token;
    }
}

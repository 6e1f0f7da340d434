namespace DeRa.Kernels.Cpu;

/// <summary>
/// Accepts or replaces one drafted token per row (<see cref="KernelSet.VerifyDrafts"/>). p and q are the same row's cuts over two rows of stored logits;
/// differences of log-probabilities are taken in float64, where p − q loses nothing that the logits still had. Workers take rows.
/// </summary>
internal unsafe struct VerifyDraftsOperation : IOperation<VerifyDraftsOperation>
{
    /// <summary>No Gumbel noise exceeds −log(−log(1 − 2⁻³³)) = 22.9.</summary>
    private const double LargestNoise = 23;

    public float* Z;
    public int ZStride;
    public float* DraftZ;
    public int DraftZStride;
    public int* Drafts;
    public int Count;
    public int Vocabulary;
    public HeadRow* Rows;
    public TokenAdjustment* Entries;
    public HeadResult* Results;

    /// <summary>Bytes of private scratch: two rows and a histogram.</summary>
    public readonly long PrivateBytes => sizeof(CutHistogram) + 2L * Padded * sizeof(float);

    private readonly int Padded => (Vocabulary + 7) / 8 * 8;

    public static void Run(VerifyDraftsOperation* self, Worker* worker)
    {
        while (worker->Take(self->Count, out long from, out long to))
        {
            for (long row = from; row < to; row++)
            {
                int token = self->Verify(row, (CutHistogram*)worker->Private);
                self->Results[row] = SampleLogitsOperation.ResultOf(token, self->Z + row * self->ZStride, self->Vocabulary);
            }
        }
    }

    private readonly int Verify(long index, CutHistogram* histogram)
    {
        HeadRow* row = Rows + index;
        float* p = (float*)(histogram + 1), q = p + Padded;
        StoredScores.Fill(row, Entries, Z + index * ZStride, Vocabulary, histogram, p);
        if (!(row->Temperature > 0))
        {
            return MixtureMath.ArgMax(p, Vocabulary);
        }

        StoredScores.Fill(row, Entries, DraftZ + index * DraftZStride, Vocabulary, histogram, q);
        ExponentialSum sumP = StoredScores.SumOf(p, Vocabulary), sumQ = StoredScores.SumOf(q, Vocabulary);
        if (float.IsNegativeInfinity(sumP.Max))
        {
            return 0; // every token is forbidden: the lowest id among equals
        }

        double logP = sumP.Log, logQ = sumQ.Log;
        int draft = Drafts[index];
        float u = DraftNoise.Uniform(DraftNoise.AcceptanceBits(row->SeedLow, row->SeedHigh, row->Stream, row->Position));
        return Math.Log(u) <= (p[draft] - logP) - (q[draft] - logQ) ? draft : Replace(row, draft, p, logP, q, logQ);
    }

    /// <summary>A draw from max(0, p − q): argmax of log(p − q) + g. The draft where rounding leaves nothing.</summary>
    private readonly int Replace(HeadRow* row, int draft, float* p, double logP, float* q, double logQ)
    {
        int token = draft;
        double best = double.NegativeInfinity;
        for (int v = 0; v < Vocabulary; v++)
        {
            double value = p[v] - logP, excess = value - (q[v] - logQ);
            if (!(excess > 0) || value + LargestNoise < best)
            {
                continue; // −∞ − −∞ is NaN: neither keeps the token
            }

            value += Math.Log(1 - Math.Exp(-excess))
                + GumbelNoise.FromBits(DraftNoise.ReplacementBits(row->SeedLow, row->SeedHigh, row->Stream, row->Position, v));
            if (value > best)
            {
                (best, token) = (value, v);
            }
        }

        return token;
    }
}

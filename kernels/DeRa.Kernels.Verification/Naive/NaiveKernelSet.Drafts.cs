namespace DeRa.Kernels.Verification;

public unsafe partial class NaiveKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueVerifyDrafts(
        Matrix z, Matrix draftLogits, IntVector drafts, DeviceBuffer rows, DeviceBuffer adjustments, DeviceBuffer results)
    {
        for (int t = 0; t < z.Rows; t++)
        {
            HeadRow row = ((HeadRow*)Bytes(rows))[t];
            float[] logits = new ReadOnlySpan<float>(Row(z, t), z.Columns).ToArray();
            float[] draft = new ReadOnlySpan<float>(Row(draftLogits, t), z.Columns).ToArray();
            HeadResult* result = (HeadResult*)Bytes(results) + t;
            result->Token = Verify(logits, draft, Ints(drafts)[t], row, Entries(adjustments, row));
            result->LogProb = LogSoftmax(logits)[result->Token];
        }
    }

    /// <summary>The draft with probability min(1, p/q), else a draw from max(0, p − q).</summary>
    protected virtual int Verify(float[] z, float[] draftZ, int draft, HeadRow row, ReadOnlySpan<TokenAdjustment> adjustments)
    {
        float[] p = Scores(z, row, adjustments);
        if (row.Temperature == 0)
        {
            return Array.IndexOf(p, p.Max());
        }

        p = LogSoftmax(p);
        float[] q = LogSoftmax(Scores(draftZ, row, adjustments));
        return MathF.Log(Acceptance(row)) <= p[draft] - q[draft] ? draft : Replace(p, q, draft, row);
    }

    /// <summary>u of a row.</summary>
    protected virtual float Acceptance(HeadRow row) =>
        DraftNoise.Uniform(DraftNoise.AcceptanceBits(row.SeedLow, row.SeedHigh, row.Stream, row.Position));

    /// <summary>A draw from max(0, p − q).</summary>
    protected virtual int Replace(float[] p, float[] q, int draft, HeadRow row)
    {
        int token = draft;
        float best = float.NegativeInfinity;
        for (int v = 0; v < p.Length; v++)
        {
            float value = MathF.Log(MathF.Max(0, MathF.Exp(p[v]) - MathF.Exp(q[v]))) + ReplacementNoise(row, v);
            if (value > best)
            {
                (best, token) = (value, v);
            }
        }

        return token;
    }

    /// <summary>g of a token that may replace the draft.</summary>
    protected virtual float ReplacementNoise(HeadRow row, int token) =>
        GumbelNoise.FromBits(DraftNoise.ReplacementBits(row.SeedLow, row.SeedHigh, row.Stream, row.Position, token));
}

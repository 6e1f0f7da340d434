namespace DeRa.Kernels.Verification;

public partial class NaiveKernelSet
{
    /// <summary>Steps 2 to 5 of <see cref="HeadRow"/> on one row's mixture logits.</summary>
    protected virtual int Draw(float[] z, HeadRow row, ReadOnlySpan<TokenAdjustment> adjustments)
    {
        float[] scores = Scores(z, row, adjustments);
        for (int v = 0; v < scores.Length && row.Temperature > 0; v++)
        {
            scores[v] += Noise(row, v);
        }

        return Array.IndexOf(scores, scores.Max());
    }

    /// <summary>Steps 2 to 4: s with −∞ for what the cuts remove, z′ at temperature 0.</summary>
    protected float[] Scores(float[] z, HeadRow row, ReadOnlySpan<TokenAdjustment> adjustments)
    {
        float[] scores = [.. z];
        foreach (TokenAdjustment adjustment in adjustments)
        {
            ref float score = ref scores[adjustment.TokenId];
            if (adjustment.InContext != 0)
            {
                score = score > 0 ? score / row.RepetitionPenalty : score * row.RepetitionPenalty;
            }

            score -= (adjustment.OutputCount > 0 ? row.PresencePenalty : 0) + row.FrequencyPenalty * adjustment.OutputCount;
            score += adjustment.Bias;
        }

        if (row.Temperature == 0)
        {
            return scores;
        }

        for (int v = 0; v < scores.Length; v++)
        {
            scores[v] /= row.Temperature;
        }

        Cut(scores, row);
        return scores;
    }

    /// <summary>Sets what the cuts remove to −∞.</summary>
    protected virtual void Cut(float[] scores, HeadRow row)
    {
        float[] descending = [.. scores.OrderDescending()];
        float least = float.NegativeInfinity;
        if (row.TopK > 0 && row.TopK < scores.Length)
        {
            least = descending[row.TopK - 1];
        }

        if (row.TopP < 1)
        {
            float[] kept = [.. descending.Where(s => s >= least)];
            float total = kept.Sum(s => MathF.Exp(s - descending[0])), larger = 0;
            for (int i = 0; i < kept.Length;)
            {
                if (!(larger < row.TopP * total))
                {
                    break;
                }

                least = kept[i];
                for (; i < kept.Length && kept[i] == least; i++)
                {
                    larger += MathF.Exp(kept[i] - descending[0]);
                }
            }
        }

        if (row.MinP > 0)
        {
            least = MathF.Max(least, descending[0] + MathF.Log(row.MinP));
        }

        for (int v = 0; v < scores.Length; v++)
        {
            scores[v] = scores[v] >= least ? scores[v] : float.NegativeInfinity;
        }
    }

    /// <summary>g of a token.</summary>
    protected virtual float Noise(HeadRow row, int token) =>
        GumbelNoise.FromBits(GumbelNoise.Bits(row.SeedLow, row.SeedHigh, row.Stream, row.Position, token));
}

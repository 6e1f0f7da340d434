namespace DeRa.Kernels.Verification;

/// <summary>The distribution that a row's token is drawn from: softmax of s = z′/T over the tokens that survive the cuts.</summary>
public static class SamplingOracle
{
    /// <summary>Probabilities [vocab]; a temperature of 0 puts all mass on the first of the largest z′.</summary>
    /// <param name="z">[vocab] mixture logits.</param>
    /// <param name="row">Temperature, cuts, penalties.</param>
    /// <param name="adjustments">The row's entries.</param>
    public static double[] Distribution(double[] z, HeadRow row, IReadOnlyList<TokenAdjustment> adjustments)
    {
        double[] scores = AdjustmentOracle.Compute(z, new double[z.Length], row, adjustments).Value;
        if (row.Temperature == 0)
        {
            int best = Array.IndexOf(scores, scores.Max());
            return [.. scores.Select((_, v) => v == best ? 1.0 : 0.0)];
        }

        scores = [.. scores.Select(s => s / row.Temperature)];
        bool[] kept = CutOracle.Kept(scores, row);
        double max = scores.Max(), sum = scores.Where((_, v) => kept[v]).Sum(s => Math.Exp(s - max));
        return [.. scores.Select((s, v) => kept[v] ? Math.Exp(s - max) / sum : 0)];
    }
}

namespace DeRa.Kernels.Verification;

/// <summary>
/// What becomes of one row's draft in float64, under the same random words: whether it stands (log u ≤ log p(y) − log q(y)), and argmax of
/// log(p − q) + g over the tokens that p prefers.
/// </summary>
/// <param name="Token">The exact answer.</param>
/// <param name="Admissible">
/// [vocab] tokens that rounding allows. ε of log p and log q is that of s (T's division) and of the sum; p − q is off by p·ε + q·ε, which is much of a
/// small difference.
/// </param>
/// <param name="IsAmbiguous">A cut lies so close to a score that rounding decides what is kept; then every token that p may keep is admissible.</param>
public sealed record VerifyOracle(int Token, bool[] Admissible, bool IsAmbiguous)
{
    /// <summary>Verifies.</summary>
    /// <param name="z">[vocab] mixture logits, exact.</param>
    /// <param name="draftZ">[vocab] logits of the draft, exact.</param>
    /// <param name="draft">The draft.</param>
    /// <param name="row">How to draw.</param>
    /// <param name="adjustments">The row's entries.</param>
    public static VerifyOracle Compute(double[] z, double[] draftZ, int draft, HeadRow row, IReadOnlyList<TokenAdjustment> adjustments)
    {
        if (row.Temperature == 0)
        {
            DrawOracle greedy = DrawOracle.Compute(z, new double[z.Length], row, adjustments);
            return new VerifyOracle(greedy.Token, greedy.Admissible, false);
        }

        (double[] p, double[] pError, bool[] possible, bool pAmbiguous) = LogProbabilities(z, row, adjustments);
        (double[] q, double[] qError, _, bool qAmbiguous) = LogProbabilities(draftZ, row, adjustments);
        double u = (DraftNoise.AcceptanceBits(row.SeedLow, row.SeedHigh, row.Stream, row.Position) + 0.5) / 4294967296.0;
        double margin = p[draft] - q[draft] - Math.Log(u), slack = pError[draft] + qError[draft] + Rounding.Log(u);
        var admissible = new bool[z.Length];
        (int token, bool[] replacements) = Replace(p, pError, q, qError, draft, row);
        for (int v = 0; v < z.Length; v++)
        {
            admissible[v] = (v == draft && margin >= -slack) || (replacements[v] && !(margin > slack));
        }

        bool ambiguous = pAmbiguous || qAmbiguous;
        return new VerifyOracle(margin >= 0 ? draft : token, ambiguous ? possible : admissible, ambiguous);
    }

    private static (int Token, bool[] Admissible) Replace(double[] p, double[] pError, double[] q, double[] qError, int draft, HeadRow row)
    {
        int token = draft;
        double best = double.NegativeInfinity, floor = double.NegativeInfinity;
        var highest = new double[p.Length];
        for (int v = 0; v < p.Length; v++)
        {
            uint bits = DraftNoise.ReplacementBits(row.SeedLow, row.SeedHigh, row.Stream, row.Position, v);
            (double noise, double noiseError) = GumbelOracle.Compute(bits);
            double mass = Math.Exp(p[v]), other = Math.Exp(q[v]), excess = Math.Max(0, mass - other);
            double error = mass == 0 ? 0 : mass * (pError[v] + Rounding.Exp(p[v])) + (other == 0 ? 0 : other * (qError[v] + Rounding.Exp(q[v])));
            double outer = noiseError + Rounding.Log(Math.Max(excess, double.Epsilon)) + 2 * Rounding.Unit * Math.Abs(noise);
            highest[v] = Math.Log(excess + error) + noise + outer;
            floor = Math.Max(floor, Math.Log(Math.Max(0, excess - error)) + noise - outer);
            if (Math.Log(excess) + noise > best)
            {
                (best, token) = (Math.Log(excess) + noise, v);
            }
        }

        // Where no excess is certain, rounding may leave none, and then the draft stands.
        return (token, [.. highest.Select((value, v) => (value > double.NegativeInfinity && value >= floor)
            || (v == draft && floor == double.NegativeInfinity))]);
    }

    private static (double[] Log, double[] Error, bool[] Possible, bool IsAmbiguous) LogProbabilities(
        double[] z, HeadRow row, IReadOnlyList<TokenAdjustment> adjustments)
    {
        (double[] scores, double[] errors) = AdjustmentOracle.Compute(z, new double[z.Length], row, adjustments);
        for (int v = 0; v < scores.Length; v++)
        {
            scores[v] /= row.Temperature;
            errors[v] = double.IsFinite(scores[v]) ? errors[v] / row.Temperature + 2 * Rounding.Unit * Math.Abs(scores[v]) : 0;
        }

        double worst = errors.Max() + Rounding.Sum(scores.Length);
        bool[] kept = CutOracle.Kept(scores, row), possible = CutOracle.Possible(scores, row, worst);
        bool cuts = (row.TopK > 0 && row.TopK < z.Length) || row.TopP < 1 || row.MinP > 0;
        bool ambiguous = cuts && !possible.SequenceEqual(CutOracle.Certain(scores, row, worst));
        double[] survivors = [.. scores.Select((s, v) => kept[v] ? s : double.NegativeInfinity)];
        LogSumOracle sum = LogSumOracle.Compute(survivors, [.. errors.Select((e, v) => kept[v] ? e : 0)]);
        var logs = new double[z.Length];
        for (int v = 0; v < z.Length; v++)
        {
            (logs[v], errors[v]) = kept[v] ? sum.LogProbability(survivors[v], errors[v]) : (double.NegativeInfinity, 0);
        }

        return (logs, errors, possible, ambiguous);
    }
}

namespace DeRa.Kernels.Verification;

/// <summary>
/// One query of one head at position p over the keys of its sequence in position order: output = Σ_j softmax_j(cap(scale·q·k_j))·v_j over
/// max(0, p − window + 1) ≤ j ≤ p, cap(s) = c·tanh(s / c). Query head h of H reads key-value head ⌊h·H_kv / H⌋.
/// </summary>
public static class AttentionOracle
{
    /// <summary>Key-value head of a query head.</summary>
    public static int KvHead(int head, int numHeads, int numKvHeads) => head * numKvHeads / numHeads;

    /// <summary>
    /// ε: score j is off by δ_j = Sum(d)·|scale|·Σ|q·k_j|, the cap's slope is at most 1 and rounds to 8 u of the cap; a weight is off by
    /// δ_j + max δ relative, e^x as <see cref="Rounding.Exp"/>, the sum of n weighted values by Sum(n). Together
    /// Σ_j p_j·|v_j − output|·(2·max δ + Exp) + Sum(n)·Σ_j p_j·|v_j|. Softmax weights rounded to a 16-bit type add its unit roundoff to (2·max δ + Exp).
    /// </summary>
    /// <param name="query">[1, headDim].</param>
    /// <param name="keys">[positions, headDim] of the query's key-value head, rotated.</param>
    /// <param name="values">[positions, headDim].</param>
    /// <param name="position">p.</param>
    /// <param name="options">Scale, window, soft cap.</param>
    /// <param name="cache">Type of the cache, which softmax weights are rounded to.</param>
    public static Expected Compute(
        double[] query, double[,] keys, double[,] values, int position, AttentionOptions options, DType cache = DType.F32)
    {
        int dim = query.Length;
        int first = options.Window is { } window ? Math.Max(0, position - window + 1) : 0, count = position + 1 - first;
        var scores = new double[count];
        double worst = 0;
        for (int j = 0; j < count; j++)
        {
            double dot = 0, magnitude = 0;
            for (int i = 0; i < dim; i++)
            {
                dot += query[i] * keys[first + j, i];
                magnitude += Math.Abs(query[i] * keys[first + j, i]);
            }

            double error = Rounding.Sum(dim) * Math.Abs(options.Scale) * magnitude, score = options.Scale * dot;
            if (options.SoftCap is { } cap)
            {
                score = cap * Math.Tanh(score / cap);
                error += 8 * Rounding.Unit * cap;
            }

            scores[j] = score;
            worst = Math.Max(worst, error);
        }

        double max = scores.Max(), sum = scores.Sum(s => Math.Exp(s - max));
        double[] weights = [.. scores.Select(s => Math.Exp(s - max) / sum)];
        double[] errors = [.. scores.Select(s => 2 * worst + Rounding.Exp(s - max) + 2 * Rounding.Unit * Math.Abs(max) + OperandRounding.Unit(cache))];
        return Expected.Of(1, dim, (_, i) =>
        {
            double output = 0, spread = 0, magnitude = 0;
            for (int j = 0; j < count; j++)
            {
                output += weights[j] * values[first + j, i];
            }

            for (int j = 0; j < count; j++)
            {
                double value = values[first + j, i];
                spread += weights[j] * Math.Abs(value - output) * errors[j];
                magnitude += weights[j] * Math.Abs(value);
            }

            return (output, spread + Rounding.Sum(count) * magnitude);
        });
    }
}

namespace DeRa.Kernels.Verification;

/// <summary>
/// The token of one row by steps 2 to 5 of <see cref="HeadRow"/> in float64, under the same random words: argmax over the kept tokens of
/// s + g, or argmax z′ at temperature 0.
/// </summary>
/// <param name="Token">The exact answer, the lowest id among equals.</param>
/// <param name="Margin">How far its value lies above the next kept token's; ∞ where it is alone.</param>
/// <param name="Admissible">
/// [vocab] tokens that rounding allows: possibly kept, and possibly as large as every token that is certainly kept. One token where
/// the margin is wide.
/// </param>
public sealed record DrawOracle(int Token, double Margin, bool[] Admissible)
{
    /// <summary>Draws.</summary>
    /// <param name="z">[vocab] mixture logits.</param>
    /// <param name="epsilon">[vocab] how far a kernel's may be off.</param>
    /// <param name="row">How to draw.</param>
    /// <param name="adjustments">The row's entries.</param>
    public static DrawOracle Compute(double[] z, double[] epsilon, HeadRow row, IReadOnlyList<TokenAdjustment> adjustments)
    {
        (double[] values, double[] errors) = AdjustmentOracle.Compute(z, epsilon, row, adjustments);
        bool[] exact = [.. values.Select(v => v > double.NegativeInfinity)], possible = exact, certain = exact;
        if (row.Temperature > 0)
        {
            for (int v = 0; v < values.Length; v++)
            {
                values[v] /= row.Temperature;
                errors[v] = errors[v] / row.Temperature + (exact[v] ? 2 * Rounding.Unit * Math.Abs(values[v]) : 0);
            }

            double worst = errors.Where((_, v) => exact[v]).Max() + Rounding.Sum(values.Length);
            (exact, possible, certain) =
                (CutOracle.Kept(values, row), CutOracle.Possible(values, row, worst), CutOracle.Certain(values, row, worst));
            for (int v = 0; v < values.Length; v++)
            {
                if (possible[v])
                {
                    (double noise, double error) = GumbelOracle.Compute(row, v);
                    values[v] += noise;
                    errors[v] += error + 2 * Rounding.Unit * Math.Abs(values[v]);
                }
            }
        }

        int best = -1;
        double second = double.NegativeInfinity, floor = double.NegativeInfinity;
        for (int v = 0; v < values.Length; v++)
        {
            floor = certain[v] ? Math.Max(floor, values[v] - errors[v]) : floor;
            if (exact[v] && (best < 0 || values[v] > values[best]))
            {
                second = best < 0 ? second : values[best];
                best = v;
            }
            else if (exact[v])
            {
                second = Math.Max(second, values[v]);
            }
        }

        return new DrawOracle(best, values[best] - second, [.. values.Select((value, v) => possible[v] && value + errors[v] >= floor)]);
    }
}

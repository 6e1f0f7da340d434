namespace DeRa.Kernels.Verification;

/// <summary>
/// One row under one λ, in a form that does not depend on the maximum a program settled on: max z, log Z = Max + log Sum, and
/// E_λ[z_a − z_r] = WeightedDifference / Sum.
/// </summary>
public static class ScoreOracle
{
    /// <summary>
    /// [1, 3]: max z, log Z, E[d] with d = z_a − z_r. ε of E[d] as in <see cref="DivergenceOracle"/>: weights times distance from the mean,
    /// the terms' own errors, and the two sums.
    /// </summary>
    /// <param name="reference">[vocab] z_r.</param>
    /// <param name="referenceEpsilon">[vocab].</param>
    /// <param name="aligned">[vocab] z_a.</param>
    /// <param name="alignedEpsilon">[vocab].</param>
    /// <param name="lambda">λ.</param>
    public static Expected Compute(
        double[] reference, double[] referenceEpsilon, double[] aligned, double[] alignedEpsilon, double lambda)
    {
        int n = reference.Length;
        double[] z = new double[n], epsilon = new double[n];
        for (int v = 0; v < n; v++)
        {
            double r = (1 - lambda) * reference[v], a = lambda * aligned[v];
            z[v] = r + a;
            epsilon[v] = Math.Abs(1 - lambda) * referenceEpsilon[v] + Math.Abs(lambda) * alignedEpsilon[v]
                + 4 * Rounding.Unit * (Math.Abs(r) + Math.Abs(a));
        }

        LogSumOracle p = LogSumOracle.Compute(z, epsilon);
        double mean = 0, error = 0;
        for (int v = 0; v < n; v++)
        {
            mean += p.Probabilities[v] * (aligned[v] - reference[v]);
        }

        for (int v = 0; v < n; v++)
        {
            double difference = aligned[v] - reference[v];
            error += p.Probabilities[v] == 0 ? 0 : p.Probabilities[v] * (Math.Abs(difference - mean) * (epsilon[v] + Rounding.Exp(z[v] - p.Max))
                + referenceEpsilon[v] + alignedEpsilon[v] + 2 * Rounding.Unit * (Math.Abs(aligned[v]) + Math.Abs(reference[v]))
                + 2 * Rounding.Sum(n) * Math.Abs(difference));
        }

        double worst = epsilon.Where((e, v) => z[v] + e >= p.Max - epsilon.Max()).Max();
        return new Expected(new[,] { { p.Max, p.Value, mean } }, new[,] { { worst, p.Epsilon, error } });
    }
}

namespace DeRa.Kernels.Verification;

/// <summary>log Z = log Σ_v e^(z_v) of one row, and softmax(z).</summary>
/// <param name="Value">log Z.</param>
/// <param name="Epsilon">
/// Σ_v p_v·(ε of z_v + error of e^(z_v − max)) + Sum(n) for the sum, the logarithm's own error and 2 u of max.
/// </param>
/// <param name="Max">max z.</param>
/// <param name="Probabilities">[vocab].</param>
public sealed record LogSumOracle(double Value, double Epsilon, double Max, double[] Probabilities)
{
    /// <summary>Of one row.</summary>
    /// <param name="z">[vocab] logits.</param>
    /// <param name="epsilon">[vocab] how far a kernel's may be off.</param>
    public static LogSumOracle Compute(double[] z, double[] epsilon)
    {
        double max = z.Max(), sum = z.Sum(value => Math.Exp(value - max)), error = 0;
        double[] probabilities = [.. z.Select(value => Math.Exp(value - max) / sum)];
        for (int v = 0; v < z.Length; v++)
        {
            error += probabilities[v] == 0 ? 0 : probabilities[v] * (epsilon[v] + Rounding.Exp(z[v] - max));
        }

        double logSum = max + Math.Log(sum);
        return new LogSumOracle(
            logSum, error + Rounding.Sum(z.Length) + Rounding.Log(sum) + 2 * Rounding.Unit * (Math.Abs(max) + Math.Abs(logSum)), max, probabilities);
    }

    /// <summary>log p(v) = z_v − log Z with its ε.</summary>
    public (double Value, double Epsilon) LogProbability(double z, double epsilon) =>
        (z - Value, epsilon + Epsilon + 2 * Rounding.Unit * (Math.Abs(z) + Math.Abs(Value)));
}

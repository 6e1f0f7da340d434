namespace DeRa.PairTrainer.Training.Privacy;

/// <summary>
/// Privacy of DP-SGD: each step takes every example with probability q and adds Gaussian noise of σ clipping norms to the sum of clipped gradients. Counted in
/// Rényi differential privacy of integer orders α (Mironov, Talwar and Zhang, 2019, "Rényi Differential Privacy of the Sampled Gaussian Mechanism"),
/// <code>
/// ε_α = 1/(α − 1) · log Σ_k C(α, k)·(1 − q)^(α−k)·q^k·e^(k(k−1)/2σ²)
/// </code>
/// which adds up over steps, and turned into (ε, δ) by ε = ε_α + log((α − 1)/α) − (log δ + log α)/(α − 1), the best α taken (Canonne, Kamath and
/// Steinke, 2020). Two data sets are neighbours when one has one example more.
/// </summary>
internal static class RenyiAccountant
{
    private const int LargestOrder = 256;
    private const double LargestNoise = 1000;

    /// <summary>ε_α of one step.</summary>
    /// <param name="order">α, at least 2.</param>
    /// <param name="samplingRate">q, in (0, 1].</param>
    /// <param name="noise">σ.</param>
    public static double StepDivergence(int order, double samplingRate, double noise)
    {
        double[] terms = new double[order + 1];
        double binomial = 0;  // log C(α, k)
        for (int k = 0; k <= order; k++)
        {
            // 0·log 0 is 0 here: at q = 1 only the last term is left.
            double others = k == order ? 0 : (order - k) * Math.Log(1 - samplingRate);
            terms[k] = binomial + others + k * Math.Log(samplingRate) + k * (k - 1.0) / (2 * noise * noise);
            binomial += Math.Log((order - k) / (k + 1.0));
        }

        double max = terms.Max();
        return (max + Math.Log(terms.Sum(term => Math.Exp(term - max)))) / (order - 1);
    }

    /// <summary>ε of all steps together, for a δ.</summary>
    public static double Epsilon(double samplingRate, double noise, int steps, double delta) =>
        Enumerable.Range(2, LargestOrder - 1).Min(order =>
            steps * StepDivergence(order, samplingRate, noise)
            + Math.Log((order - 1.0) / order)
            - (Math.Log(delta) + Math.Log(order)) / (order - 1));

    /// <summary>The least σ, to a part in a million, that keeps within ε.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No σ up to 1000 does.</exception>
    public static double NoiseFor(double epsilon, double samplingRate, int steps, double delta)
    {
        if (Epsilon(samplingRate, LargestNoise, steps, delta) > epsilon)
            throw new ArgumentOutOfRangeException(nameof(epsilon), epsilon, $"no noise up to {LargestNoise} reaches it");
        double low = 0.1, high = LargestNoise;
        while (high / low > 1 + 1e-6)
        {
            double middle = Math.Sqrt(low * high);
            if (Epsilon(samplingRate, middle, steps, delta) > epsilon)
                low = middle;
            else
                high = middle;
        }

        return high;
    }
}

using DeRa.Kernels;

namespace DeRa.Models.Tests;

/// <summary>
/// Mixtures of the golden pairs: z = (1 − λ)·z_r + λ·z_a, with log-probabilities, KLs and greedy continuations from transformers' logits in float64.
/// </summary>
[TestFixtureSource(typeof(TestDevice), nameof(TestDevice.Names))]
internal sealed class GoldenPairTests(string deviceName) : DeviceTests(deviceName)
{
    [Test]
    public void Mixture_at_the_last_position([ValueSource(typeof(GoldenCase), nameof(GoldenCase.Names))] string name)
    {
        var golden = new GoldenCase(name);
        using PairDriver driver = Load(golden);
        foreach (GoldenPair pair in golden.Pairs)
        {
            (float[] r, float[] a) = driver.LastLogits(pair.Prompt);
            double[] z = [.. r.Zip(a, (zr, za) => ((1 - (double)pair.Lambda) * zr) + ((double)pair.Lambda * za))];
            double max = z.Max(), normalizer = max + Math.Log(z.Sum(v => Math.Exp(v - max)));
            float[] logProbs = [.. z.Select(v => (float)(v - normalizer))];
            Close.Within(pair.Tolerance, logProbs, pair.LastLogProbs, $"{name} λ = {pair.Lambda}");
        }
    }

    /// <summary>log p_λ(y) = z_y − log Z_λ; KL(p_λ‖p_r) = λ·E[d] − log Z_λ + log Z_0; KL(p_λ‖p_a) = (λ − 1)·E[d] − log Z_λ + log Z_1.</summary>
    [Test]
    public void Scores_of_the_continuation([ValueSource(typeof(GoldenCase), nameof(GoldenCase.Names))] string name)
    {
        var golden = new GoldenCase(name);
        using PairDriver driver = Load(golden);
        foreach (IGrouping<int[], GoldenPair> group in golden.Pairs.GroupBy(p => p.Continuation, IntArrays.Comparer))
        {
            GoldenPair[] pairs = [.. group];
            float[] lambdas = [.. pairs.Select(p => p.Lambda)];
            int[] prompt = pairs[0].Prompt, text = [.. prompt, .. group.Key];
            (ScoreStatistic[] statistics, TargetLogits[] targets) = driver.Score(text, prompt.Length, lambdas);
            int reference = Array.IndexOf(lambdas, 0), aligned = Array.IndexOf(lambdas, 1);
            for (int l = 0; l < lambdas.Length; l++)
            {
                double lambda = lambdas[l];
                for (int t = 0; t < targets.Length; t++)
                {
                    ScoreStatistic s = statistics[(t * lambdas.Length) + l];
                    double z = ((1 - lambda) * targets[t].Reference) + (lambda * targets[t].Aligned), difference = s.WeightedDifference / s.Sum;
                    double logZ = LogZ(t, l), tolerance = pairs[l].Tolerance;
                    string at = $"{name} λ = {lambda} token {t}";
                    Assert.That(z - logZ, Is.EqualTo(pairs[l].TokenLogProbs[t]).Within(tolerance), at);
                    Assert.That((lambda * difference) - logZ + LogZ(t, reference), Is.EqualTo(pairs[l].KlReference[t]).Within(tolerance), at);
                    Assert.That(((lambda - 1) * difference) - logZ + LogZ(t, aligned), Is.EqualTo(pairs[l].KlAligned[t]).Within(tolerance), at);
                }
            }

            double LogZ(int token, int lambda)
            {
                ScoreStatistic s = statistics[(token * lambdas.Length) + lambda];
                return s.Max + Math.Log(s.Sum);
            }
        }
    }

    [Test]
    public void Greedy_continuations_of_all_mixtures_in_one_batch([ValueSource(typeof(GoldenCase), nameof(GoldenCase.Names))] string name)
    {
        var golden = new GoldenCase(name);
        using PairDriver driver = Load(golden);
        foreach (IGrouping<int[], GoldenPair> group in golden.Pairs.GroupBy(p => p.Prompt, IntArrays.Comparer))
        {
            GoldenPair[] pairs = [.. group];
            int[][] tokens = driver.Continue(group.Key, [.. pairs.Select(p => p.Lambda)], pairs[0].Greedy.Length);
            for (int i = 0; i < pairs.Length; i++) EqualWhileClear(tokens[i], pairs[i].Greedy, pairs[i].GreedyMargins, $"{name} λ = {pairs[i].Lambda}");
        }
    }

    [Test]
    public void Greedy_continuation_of_each_model_alone([ValueSource(typeof(GoldenCase), nameof(GoldenCase.Names))] string name)
    {
        var golden = new GoldenCase(name);
        using PairDriver driver = Load(golden);
        GoldenSequence sequence = golden.Sequences.Last();
        int steps = sequence.GreedyReference.Length;
        EqualWhileClear(
            driver.Continue(sequence.InputIds, [0], steps)[0], sequence.GreedyReference, sequence.GreedyReferenceMargins, $"{name}, reference");
        EqualWhileClear(driver.Continue(sequence.InputIds, [1], steps)[0], sequence.GreedyAligned, sequence.GreedyAlignedMargins, $"{name}, aligned");
    }

    /// <summary>What the head reports beside a greedy token is the golden distribution's.</summary>
    [Test]
    public void Head_reports_log_probability_and_divergence([ValueSource(typeof(GoldenCase), nameof(GoldenCase.Names))] string name)
    {
        var golden = new GoldenCase(name);
        using PairDriver driver = Load(golden);
        GoldenPair[] pairs = [.. golden.Pairs.GroupBy(p => p.Prompt, IntArrays.Comparer).First()];
        HeadResult[] results = driver.Greedy([.. pairs.Select(p => p.Prompt)], new int[pairs.Length], [.. pairs.Select(p => p.Lambda)]);
        for (int i = 0; i < pairs.Length; i++)
        {
            string at = $"{name} λ = {pairs[i].Lambda}";
            Assert.That(results[i].LogProb, Is.EqualTo(pairs[i].LastLogProbs.Max()).Within(pairs[i].Tolerance), at);
            Assert.That(results[i].KlReference, Is.EqualTo(pairs[i].KlReference[0]).Within(pairs[i].Tolerance), at);
            Assert.That(results[i].KlAligned, Is.EqualTo(pairs[i].KlAligned[0]).Within(pairs[i].Tolerance), at);
        }
    }

    // Past a step whose two best tokens are closer than float32 can tell apart, the continuations may differ.
    private static void EqualWhileClear(int[] tokens, int[] expected, double[] margins, string what)
    {
        int clear = Array.FindIndex(margins, margin => margin < GoldenCase.MarginTolerance);
        if (clear < 0) clear = expected.Length;
        Assert.That(tokens[..clear], Is.EqualTo(expected[..clear]), what);
    }

    private PairDriver Load(GoldenCase golden) =>
        new(Device.Kernels, ModelPair.Load(golden.SideFolder("ref"), golden.SideFolder("aligned"), Device.Kernels));

    private static class IntArrays
    {
        public static IEqualityComparer<int[]> Comparer { get; } = EqualityComparer<int[]>.Create((a, b) => a!.SequenceEqual(b!), a => a.Length);
    }
}

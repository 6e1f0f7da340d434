namespace DeRa.Evaluation.Tests;

public sealed class PairedBootstrapTests
{
    [Test]
    public void A_mean_comes_with_the_error_that_the_spread_of_prompts_gives()
    {
        double[] values = [.. Enumerable.Range(0, 400).Select(i => (double)(i % 7))];
        double mean = values.Average(), deviation = Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / values.Length);
        Estimate estimate = new PairedBootstrap(values.Length, resamples: 20_000).Mean(values);
        Assert.That(estimate.Mean, Is.EqualTo(mean));
        Assert.That(estimate.StandardError, Is.EqualTo(deviation / 20).Within(3).Percent);
        Assert.That(estimate.High - mean, Is.EqualTo(1.96 * deviation / 20).Within(5).Percent);
        Assert.That(mean - estimate.Low, Is.EqualTo(1.96 * deviation / 20).Within(5).Percent);
    }

    [Test]
    public void Equal_values_have_no_spread()
    {
        Estimate estimate = new PairedBootstrap(10).Mean([.. Enumerable.Repeat(0.1, 10)]);
        Assert.That(estimate.StandardError, Is.Zero);
        Assert.That(estimate.High - estimate.Low, Is.EqualTo(0).Within(1e-15));
    }

    [Test]
    public void Differences_keep_the_pairing()
    {
        // Prompts differ by hundreds, the two series by a hundredth at every prompt.
        double[] first = [.. Enumerable.Range(0, 30).Select(i => i * 100.0)], second = [.. first.Select(value => value + 0.01)];
        Estimate difference = new PairedBootstrap(30).Differences([second], first)[0];
        Assert.That(difference.Low, Is.GreaterThan(0.0099));
        Assert.That(difference.High, Is.LessThan(0.0101));
    }

    [Test]
    public void Simultaneous_intervals_are_wider_and_as_wide_for_one_comparison()
    {
        double[] Noise(ulong seed)
        {
            var random = new SplitMix64(seed);
            return [.. Enumerable.Range(0, 60).Select(_ => random.NextDouble())];
        }

        var bootstrap = new PairedBootstrap(60);
        double[] baseline = Noise(1);
        double[][] many = [.. Enumerable.Range(2, 10).Select(i => Noise((ulong)i))];
        Estimate single = bootstrap.Differences([many[0]], baseline)[0], one = bootstrap.SimultaneousDifferences([many[0]], baseline)[0];
        Estimate all = bootstrap.SimultaneousDifferences(many, baseline)[0];
        Assert.That(one.High - one.Low, Is.EqualTo(single.High - single.Low).Within(5).Percent);
        Assert.That(all.High - all.Low, Is.GreaterThan(1.2 * (one.High - one.Low)));
    }

    [Test]
    public void One_prompt_says_nothing_of_the_spread()
    {
        Estimate estimate = new PairedBootstrap(1).Mean([2]);
        Assert.That(estimate.Mean, Is.EqualTo(2));
        Assert.That(estimate.Low, Is.NaN);
    }

    [Test]
    public void The_same_seed_gives_the_same_interval()
    {
        double[] values = [1, 5, 2, 8, 3, 1, 9];
        Estimate first = new PairedBootstrap(7, seed: 3).Mean(values), again = new PairedBootstrap(7, seed: 3).Mean(values);
        Assert.That(again, Is.EqualTo(first));
        Assert.That(new PairedBootstrap(7, seed: 4).Mean(values), Is.Not.EqualTo(first));
    }
}

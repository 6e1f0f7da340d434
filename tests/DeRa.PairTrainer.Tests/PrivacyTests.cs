using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;
using DeRa.PairTrainer.Training.Privacy;

namespace DeRa.PairTrainer.Tests;

/// <summary>The accountant against its definition, and the clipped sum against a loop.</summary>
public class PrivacyTests
{
    /// <summary>1/(α − 1)·log E_{z∼N(0,σ²)}[((1 − q) + q·N(z; 1, σ²)/N(z; 0, σ²))^α], by the trapezoidal rule, which converges geometrically here.</summary>
    [TestCase(2, 0.01, 1.0)]
    [TestCase(2, 0.5, 0.7)]
    [TestCase(8, 0.032, 0.8)]
    [TestCase(32, 0.1, 2.0)]
    [TestCase(16, 1.0, 4.0)]
    public void Divergence_of_a_step_equals_the_integral_of_its_definition(int order, double rate, double noise)
    {
        const int Points = 200_000;
        double low = -12 * noise, high = order + (12 * noise), width = (high - low) / Points, integral = 0;
        for (int i = 0; i <= Points; i++)
        {
            double z = low + (i * width);
            double density = Math.Exp(-z * z / (2 * noise * noise)) / (noise * Math.Sqrt(2 * Math.PI));
            double ratio = 1 - rate + (rate * Math.Exp(((2 * z) - 1) / (2 * noise * noise)));
            integral += density * Math.Pow(ratio, order) * width;
        }

        Assert.That(RenyiAccountant.StepDivergence(order, rate, noise), Is.EqualTo(Math.Log(integral) / (order - 1)).Within(1e-8));
    }

    [Test]
    public void Without_sampling_a_step_is_the_gaussian_mechanism([Values(2, 10, 100)] int order, [Values(0.5, 3)] double noise) =>
        Assert.That(RenyiAccountant.StepDivergence(order, 1, noise), Is.EqualTo(order / (2 * noise * noise)).Within(1e-9 * order));

    [Test]
    public void Epsilon_grows_with_steps_and_rate_and_falls_with_noise_and_delta()
    {
        double epsilon = RenyiAccountant.Epsilon(0.03, 1, 60, 1e-4);
        Assert.Multiple(() =>
        {
            Assert.That(RenyiAccountant.Epsilon(0.03, 1, 120, 1e-4), Is.GreaterThan(epsilon));
            Assert.That(RenyiAccountant.Epsilon(0.06, 1, 60, 1e-4), Is.GreaterThan(epsilon));
            Assert.That(RenyiAccountant.Epsilon(0.03, 1.5, 60, 1e-4), Is.LessThan(epsilon));
            Assert.That(RenyiAccountant.Epsilon(0.03, 1, 60, 1e-3), Is.LessThan(epsilon));
        });
    }

    /// <summary>
    /// The conversion can only be too careful: for one unsampled step the smallest ε is known, δ(ε) = Φ(1/2σ − εσ) − e^ε·Φ(−1/2σ − εσ) (Balle and
    /// Wang, 2018), so δ at the stated ε is at most the stated one, and not smaller by orders of magnitude.
    /// </summary>
    [TestCase(1.0)]
    [TestCase(4.0)]
    public void Stated_epsilon_is_valid_for_the_gaussian_mechanism_and_near_the_best(double noise)
    {
        const double Delta = 1e-4;
        double epsilon = RenyiAccountant.Epsilon(1, noise, 1, Delta);
        double exact = Phi((1 / (2 * noise)) - (epsilon * noise)) - (Math.Exp(epsilon) * Phi((-1 / (2 * noise)) - (epsilon * noise)));
        Assert.That(exact, Is.InRange(Delta / 100, Delta));
    }

    [TestCase(2.0)]
    [TestCase(8.0)]
    public void Noise_for_a_budget_spends_it_and_no_more(double epsilon)
    {
        double noise = RenyiAccountant.NoiseFor(epsilon, 0.032, 60, 1e-4);
        Assert.That(RenyiAccountant.Epsilon(0.032, noise, 60, 1e-4), Is.InRange(epsilon * 0.9999, epsilon));
    }

    [Test]
    public void A_budget_out_of_reach_is_refused() =>
        Assert.That(() => RenyiAccountant.NoiseFor(1e-9, 1, 1000, 1e-6), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void Each_example_counts_with_at_most_the_clipping_norm()
    {
        Parameter<float>[] parameters = [new("a", [3]), new("b", [2])];
        ClippedSum sum = new(parameters, clippingNorm: 2);
        double[] norms = [Example(3, 4, 0, 0, 0), Example(0, 0, 1, 0, 1), Example(0, 0, 0, 0, 0), Example(0, 0, -6, 8, 0)];
        sum.Release(noise: 0, expectedExamples: 4, new DeterministicRandom(1));

        // (3, 4)·2/5, (1, 1) as it is, nothing, (−6, 8)·2/10; over four.
        float[] expected = [0.3f, 0.4f, (1 - 1.2f) / 4, 0.4f, 0.25f];
        Assert.Multiple(() =>
        {
            Assert.That(norms, Is.EqualTo(new[] { 5, Math.Sqrt(2), 0, 10 }).Within(1e-12));
            Assert.That(parameters.SelectMany(p => p.Gradient), Is.EqualTo(expected).Within(1e-6f));
        });

        double Example(params float[] gradient)
        {
            gradient[..3].CopyTo(parameters[0].Gradient, 0);
            gradient[3..].CopyTo(parameters[1].Gradient, 0);
            return sum.Add();
        }
    }

    [Test]
    public void Noise_has_the_stated_deviation_and_a_release_starts_afresh()
    {
        Parameter<float>[] parameters = [new("a", [20_000])];
        ClippedSum sum = new(parameters, clippingNorm: 0.5);
        for (int release = 0; release < 2; release++)
        {
            sum.Release(noise: 3, expectedExamples: 10, new DeterministicRandom(2, (ulong)release));
            double[] values = [.. parameters[0].Gradient.Select(g => (double)g)];

            // Deviation σ·C/10 = 0.15; the estimates of mean and deviation have standard errors of 0.15/√20,000 and 0.15/√40,000.
            Assert.That(values.Average(), Is.EqualTo(0).Within(5 * 0.15 / Math.Sqrt(20_000)));
            Assert.That(Math.Sqrt(values.Average(v => v * v)), Is.EqualTo(0.15).Within(5 * 0.15 / Math.Sqrt(40_000)));
        }
    }

    /// <summary>The normal distribution function by Simpson's rule.</summary>
    private static double Phi(double x)
    {
        const int Intervals = 20_000;
        double low = -12, width = (x - low) / Intervals;
        double sum = 0;
        for (int i = 0; i <= Intervals; i++)
            sum += Math.Exp(-0.5 * Math.Pow(low + (i * width), 2)) * (i is 0 or Intervals ? 1 : i % 2 == 1 ? 4 : 2);
        return sum * width / 3 / Math.Sqrt(2 * Math.PI);
    }
}

using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests;

/// <summary>g = −log(−log(1 − u)): mean γ, variance π²/6, P(g ≤ x) = exp(−e^(−x)).</summary>
public sealed class GumbelNoiseTests
{
    private const int Count = 400_000;

    private static readonly double[] Noise = [.. Enumerable.Range(0, Count).Select(token =>
        (double)GumbelNoise.FromBits(GumbelNoise.Bits(1, 2, 3, 4, token)))];

    [Test]
    public void Moments_are_those_of_the_standard_Gumbel_distribution()
    {
        double mean = Noise.Average(), variance = Noise.Average(g => (g - mean) * (g - mean));

        // Five standard errors: √(π²/6 / n), and √((κ + 2) / n)·π²/6 with excess kurtosis κ = 12/5.
        Assert.That(mean, Is.EqualTo(0.57721566490153287).Within(5 * Math.Sqrt(Math.PI * Math.PI / 6 / Count)));
        Assert.That(variance, Is.EqualTo(Math.PI * Math.PI / 6).Within(5 * Math.Sqrt(4.4 / Count) * Math.PI * Math.PI / 6));
    }

    [TestCase(-1.5)]
    [TestCase(0.0)]
    [TestCase(3.0)]
    [TestCase(8.0)]
    public void Distribution_function_holds_in_both_tails(double x)
    {
        double p = Math.Exp(-Math.Exp(-x)), below = Noise.Count(g => g <= x) / (double)Count;
        Assert.That(below, Is.EqualTo(p).Within(5 * Math.Sqrt(p * (1 - p) / Count)));
    }

    [Test]
    public void Every_word_gives_a_finite_value_within_the_stated_error()
    {
        uint[] edges = [0, 1, 2, 0xffff, 0x10000, 94_000_000, 95_500_000, 0x7fffffff, 0x80000000, 0xffffff7f, 0xffffff80, 0xfffffffe, 0xffffffff];
        foreach (uint bits in edges.Concat(Enumerable.Range(0, 20_000).Select(i => GumbelNoise.Bits(5, 0, 0, 0, i))))
        {
            float g = GumbelNoise.FromBits(bits);
            (double value, double error) = GumbelOracle.Compute(bits);
            Assert.That(g, Is.InRange(-2.812f, 22.875f), $"word {bits}");
            Assert.That(g, Is.EqualTo(value).Within(error), $"word {bits}");
        }
    }

    [Test]
    public void Noise_depends_on_every_part_of_its_key()
    {
        uint word = GumbelNoise.Bits(1, 2, 3, 4, 5);
        Assert.That(
            new[]
            {
                GumbelNoise.Bits(9, 2, 3, 4, 5), GumbelNoise.Bits(1, 9, 3, 4, 5), GumbelNoise.Bits(1, 2, 9, 4, 5), GumbelNoise.Bits(1, 2, 3, 9, 5),
                GumbelNoise.Bits(1, 2, 3, 4, 6), GumbelNoise.Bits(1, 2, 3, 4, 9),
            },
            Has.None.EqualTo(word));
    }
}

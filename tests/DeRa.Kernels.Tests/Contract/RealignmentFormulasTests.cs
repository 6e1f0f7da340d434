using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests;

/// <summary>The closed forms against the sums that define them: A = log Σ p_r·e^(λΔ), KL = Σ p·(log p − log q).</summary>
public sealed class RealignmentFormulasTests
{
    private const int Vocabulary = 60;

    private static readonly double[] Reference = Logits("reference"), Aligned = Logits("aligned");

    [TestCase(-0.5)]
    [TestCase(0.0)]
    [TestCase(0.3)]
    [TestCase(1.0)]
    [TestCase(2.5)]
    public void Closed_forms_equal_their_sums(double lambda)
    {
        double[] r = LogSoftmax(Reference), a = LogSoftmax(Aligned);
        double normalizer = Math.Log(r.Zip(a, (x, y) => Math.Exp(x + lambda * (y - x))).Sum());
        double[] mixture = [.. r.Zip(a, (x, y) => (1 - lambda) * x + lambda * y - normalizer)];

        RealignmentValues got = At(lambda, target: 17);

        // The statistics are float32: a few units of 2⁻²⁴ times logits below 10, and their sums over λ ≤ 2.5.
        const double Tolerance = 1e-5;
        Assert.Multiple(() =>
        {
            Assert.That(got.LogProbability, Is.EqualTo(mixture[17]).Within(Tolerance));
            Assert.That(got.LogNormalizer, Is.EqualTo(normalizer).Within(Tolerance));
            Assert.That(got.KlReference, Is.EqualTo(mixture.Zip(r, (p, q) => Math.Exp(p) * (p - q)).Sum()).Within(Tolerance));
            Assert.That(got.KlAligned, Is.EqualTo(mixture.Zip(a, (p, q) => Math.Exp(p) * (p - q)).Sum()).Within(Tolerance));
        });
    }

    [Test]
    public void End_points_are_exact()
    {
        Assert.Multiple(() =>
        {
            Assert.That(At(0, 3).LogNormalizer, Is.Zero);
            Assert.That(At(0, 3).KlReference, Is.Zero);
            Assert.That(At(1, 3).LogNormalizer, Is.Zero);
            Assert.That(At(1, 3).KlAligned, Is.Zero);
        });
    }

    [Test]
    public void Rounding_below_zero_becomes_zero_and_NaN_stays()
    {
        var one = new ScoreStatistic { Max = 0, Sum = 1, WeightedDifference = 0 };
        var slightlyMore = one with { Sum = 1.0000001f };
        Assert.Multiple(() =>
        {
            Assert.That(RealignmentFormulas.At(0.5, slightlyMore, one, one, default).KlReference, Is.Zero);
            Assert.That(RealignmentFormulas.At(0.5, one with { Sum = float.NaN }, one, one, default).KlReference, Is.NaN);
        });
    }

    private static RealignmentValues At(double lambda, int target) => RealignmentFormulas.At(
        lambda, Statistic(lambda), Statistic(0), Statistic(1),
        new TargetLogits { Reference = (float)Reference[target], Aligned = (float)Aligned[target] });

    private static ScoreStatistic Statistic(double lambda)
    {
        double[] z = [.. Reference.Zip(Aligned, (r, a) => (1 - lambda) * r + lambda * a)];
        double max = z.Max();
        return new ScoreStatistic
        {
            Max = (float)max,
            Sum = (float)z.Sum(value => Math.Exp(value - (float)max)),
            WeightedDifference = (float)z.Select((value, v) => Math.Exp(value - (float)max) * (Aligned[v] - Reference[v])).Sum(),
        };
    }

    private static double[] Logits(string name) => [.. new TestData(name).Matrix(1, Vocabulary, deviation: 2).Cast<float>().Select(x => (double)x)];

    private static double[] LogSoftmax(double[] z)
    {
        double max = z.Max(), logSum = max + Math.Log(z.Sum(value => Math.Exp(value - max)));
        return [.. z.Select(value => value - logSum)];
    }
}

namespace DeRa.Evaluation.Tests;

public sealed class QuantilesTests
{
    // Tables of Abramowitz and Stegun, 26.1 and 26.10.
    [TestCase(0, 0.5)]
    [TestCase(1, 0.841344746068543)]
    [TestCase(-1.96, 0.024997895148220)]
    [TestCase(3.5, 0.999767370920965)]
    [TestCase(-6, 9.865876450377e-10)]
    public void Normal_is_that_of_the_tables(double z, double expected) =>
        Assert.That(Quantiles.Normal(z), Is.EqualTo(expected).Within(1e-12).Or.EqualTo(expected).Within(1e-9).Percent);

    [TestCase(0.025, 1, 12.706)]
    [TestCase(0.025, 2, 4.303)]
    [TestCase(0.025, 5, 2.571)]
    [TestCase(0.025, 30, 2.042)]
    [TestCase(0.005, 10, 3.169)]
    [TestCase(0.025, 100_000, 1.960)]
    public void Students_quantile_is_that_of_the_tables(double tail, int degrees, double expected) =>
        Assert.That(Quantiles.StudentT(tail, degrees), Is.EqualTo(expected).Within(6e-4));

    [Test]
    public void The_normal_quantile_inverts_the_distribution() =>
        Assert.That(Quantiles.NormalQuantile(0.975), Is.EqualTo(1.959963984540054).Within(1e-9));

    [Test]
    public void Quantiles_of_a_sample_interpolate()
    {
        double[] sorted = [1, 2, 4, 8];
        Assert.That(Quantiles.OfSorted(sorted, 0), Is.EqualTo(1));
        Assert.That(Quantiles.OfSorted(sorted, 0.5), Is.EqualTo(3));
        Assert.That(Quantiles.OfSorted(sorted, 1), Is.EqualTo(8));
        Assert.That(Quantiles.OfSorted([7], 0.3), Is.EqualTo(7));
    }
}

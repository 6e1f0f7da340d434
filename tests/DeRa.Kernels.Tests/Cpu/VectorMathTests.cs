using System.Runtime.Intrinsics;
using DeRa.Kernels.Cpu;

namespace DeRa.Kernels.Tests.Cpu;

/// <summary>Elementary functions against float64 over dense grids.</summary>
[TestFixture]
public sealed class VectorMathTests
{
    [Test]
    public void Exp_is_within_two_ulp_down_to_subnormals()
    {
        double worst = 0;
        for (double x = -103.9; x < 88.7; x += 0.00137)
        {
            float argument = (float)x;
            double expected = Math.Exp(argument);
            float got = VectorMath.Exp(Vector256.Create(argument)).GetElement(3);
            double ulp = Math.Max(MathF.BitIncrement((float)expected) - (double)(float)expected, float.Epsilon);
            worst = Math.Max(worst, Math.Abs(got - expected) / ulp);
        }

        Assert.That(worst, Is.LessThanOrEqualTo(2));
    }

    [TestCase(float.NegativeInfinity, 0f)]
    [TestCase(-1000f, 0f)]
    [TestCase(0f, 1f)]
    [TestCase(-0f, 1f)]
    [TestCase(89f, float.PositiveInfinity)]
    [TestCase(float.PositiveInfinity, float.PositiveInfinity)]
    [TestCase(float.NaN, float.NaN)]
    public void Exp_of_special_values(float x, float expected) =>
        Assert.That(VectorMath.Exp(Vector256.Create(x)).GetElement(0), Is.EqualTo(expected));

    [Test]
    public void Tanh_and_sigmoid_are_accurate_to_float32()
    {
        for (double x = -30; x < 30; x += 0.00171)
        {
            float argument = (float)x;
            Assert.That(VectorMath.Tanh(Vector256.Create(argument)).GetElement(1), Is.EqualTo(Math.Tanh(argument)).Within(1.5e-7), $"tanh {argument}");
            double sigmoid = 1 / (1 + Math.Exp(-argument));
            Assert.That(VectorMath.Sigmoid(Vector256.Create(argument)).GetElement(1), Is.EqualTo(sigmoid).Within(3e-7 * sigmoid), $"sigmoid {argument}");
        }

        Assert.That(VectorMath.Tanh(Vector256.Create(float.PositiveInfinity)).GetElement(0), Is.EqualTo(1));
        Assert.That(VectorMath.Tanh(Vector256.Create(-1000f)).GetElement(0), Is.EqualTo(-1));
    }

    // Table of Φ to 15 digits: x, Φ(x) (NIST Digital Library of Mathematical Functions, 7.2 and 7.18).
    [TestCase(0f, 0.5)]
    [TestCase(0.5f, 0.691462461274013)]
    [TestCase(1f, 0.841344746068543)]
    [TestCase(1.5f, 0.933192798731142)]
    [TestCase(2f, 0.977249868051821)]
    [TestCase(3f, 0.998650101968370)]
    [TestCase(5f, 0.999999713348428)]
    [TestCase(40f, 1)]
    public void Normal_distribution_is_accurate_on_both_sides(float x, double expected)
    {
        Assert.That(VectorMath.NormalCdf(Vector256.Create(x)).GetElement(0), Is.EqualTo(expected).Within(1e-7));
        Assert.That(VectorMath.NormalCdf(Vector256.Create(-x)).GetElement(0), Is.EqualTo(1 - expected).Within(1e-7));
        Assert.That(40 * VectorMath.NormalCdf(Vector256.Create(-40f)).GetElement(0), Is.Zero);
    }
}

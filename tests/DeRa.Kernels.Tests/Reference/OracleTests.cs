using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests;

/// <summary>The oracles on inputs whose answers are known by other means.</summary>
public sealed class OracleTests
{
    /// <summary>Values of tables (Abramowitz and Stegun, table 7.1, and its continuation).</summary>
    [TestCase(0.5, 0.5204998778130465)]
    [TestCase(1.0, 0.8427007929497149)]
    [TestCase(-2.0, -0.9953222650189527)]
    [TestCase(3.0, 0.9999779095030014)]
    [TestCase(0.0, 0.0)]
    [TestCase(9.0, 1.0)]
    public void Error_function(double x, double expected) => Assert.That(SpecialFunctions.Erf(x), Is.EqualTo(expected).Within(1e-15));

    [Test]
    public void Logarithm_of_one_plus_keeps_small_arguments() =>
        Assert.That(SpecialFunctions.LogOnePlus(-1e-12), Is.EqualTo(-1.0000000000005e-12).Within(1e-27));

    /// <summary>Masses 0.5, 0.25, 0.125, 0.125.</summary>
    [TestCase(0, 0.5f, 0f, new[] { true, false, false, false })]
    [TestCase(0, 0.51f, 0f, new[] { true, true, false, false })]
    [TestCase(0, 0.76f, 0f, new[] { true, true, true, true })]
    [TestCase(3, 1f, 0f, new[] { true, true, true, true })]
    [TestCase(2, 1f, 0f, new[] { true, true, false, false })]
    [TestCase(2, 0.6f, 0f, new[] { true, false, false, false })] // renormalised over two, the first holds 2/3
    [TestCase(0, 1f, 0.4f, new[] { true, true, false, false })]
    [TestCase(0, 1f, 1f, new[] { true, false, false, false })]
    public void Cuts(int topK, float topP, float minP, bool[] kept)
    {
        double[] scores = [Math.Log(4), Math.Log(2), 0, 0];
        Assert.That(CutOracle.Kept(scores, HeadRow.Greedy(0) with { TopK = topK, TopP = topP, MinP = minP }), Is.EqualTo(kept));
    }

    [Test]
    public void Slack_widens_what_is_possible_and_narrows_what_is_certain()
    {
        double[] scores = [1, 0.999, 0.5, 0];
        HeadRow row = HeadRow.Greedy(0) with { TopK = 1 };
        Assert.Multiple(() =>
        {
            Assert.That(CutOracle.Possible(scores, row, 0.001), Is.EqualTo(new[] { true, true, false, false }));
            Assert.That(CutOracle.Certain(scores, row, 0.001), Is.EqualTo(new[] { false, false, false, false }));
            Assert.That(CutOracle.Certain(scores, row, 0.0001), Is.EqualTo(new[] { true, false, false, false }));
        });
    }

    [Test]
    public void Window_of_one_copies_the_own_value()
    {
        double[,] keys = { { 1, 2 }, { 3, 4 }, { 5, 6 } }, values = { { 1, 0 }, { 0, 1 }, { 7, 8 } };
        Expected output = AttentionOracle.Compute([1, 1], keys, values, position: 2, new AttentionOptions(1, Window: 1));
        Assert.That(output.Value, Is.EqualTo(new double[,] { { 7, 8 } }));
    }

    [Test]
    public void Penalties_follow_their_order()
    {
        HeadRow row = HeadRow.Greedy(0) with { RepetitionPenalty = 2, PresencePenalty = 0.5f, FrequencyPenalty = 0.25f };
        TokenAdjustment[] adjustments =
        [
            new() { TokenId = 0, InContext = 1 }, new() { TokenId = 1, InContext = 1, OutputCount = 2, Bias = 3 }, new() { TokenId = 2, OutputCount = 1 },
        ];
        double[] adjusted = AdjustmentOracle.Compute([4, -4, 1, 9], new double[4], row, adjustments).Value;
        Assert.That(adjusted, Is.EqualTo(new[] { 2, -8 - 0.5 - 0.5 + 3, 1 - 0.5 - 0.25, 9 }));
    }
}

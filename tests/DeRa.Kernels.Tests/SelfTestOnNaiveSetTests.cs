using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests;

/// <summary>The naive float32 programs stay within the derived ε alone, so neither half of the tolerance is loose or wrong.</summary>
public sealed class SelfTestOnNaiveSetTests
{
    [TestCaseSource(typeof(SelfTest), nameof(SelfTest.Cases))]
    public void Naive_program_passes(SelfTestCase check)
    {
        using var set = new NaiveKernelSet();
        SelfTestResult result = check.Run(set, factor: 0);
        Assert.That(result.Passed, Is.True, result.Message);
        Assert.That(result.WorstError, Is.LessThanOrEqualTo(result.Tolerance));
    }
}

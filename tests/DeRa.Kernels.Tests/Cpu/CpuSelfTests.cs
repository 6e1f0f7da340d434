using DeRa.Kernels.Cpu;
using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests.Cpu;

/// <summary>Every check of the self test on the Cpu set, with one worker and with several.</summary>
[TestFixture(1)]
[TestFixture(3)]
public sealed class CpuSelfTests(int workers)
{
    private CpuKernelSet set = null!;

    [OneTimeSetUp]
    public void Start() => set = new CpuKernelSet(workers);

    [OneTimeTearDown]
    public void Stop() => set.Dispose();

    [TestCaseSource(typeof(SelfTest), nameof(SelfTest.Cases))]
    public void Passes(SelfTestCase check)
    {
        SelfTestResult result = check.Run(set);
        Assert.That(result.Passed, Is.True, result.Message);
    }
}

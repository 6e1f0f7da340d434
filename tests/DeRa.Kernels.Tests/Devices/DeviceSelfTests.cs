using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests;

/// <summary>Every check of the self-test on the devices found; <see cref="Cpu.CpuSelfTests"/> does so on the Cpu set, by number of workers.</summary>
[TestFixtureSource(typeof(KernelSets), nameof(KernelSets.PresentDevices))]
public sealed class DeviceSelfTests(string spec) : DeviceFixture(spec)
{
    [TestCaseSource(typeof(SelfTest), nameof(SelfTest.Cases))]
    public void Passes(SelfTestCase check)
    {
        SelfTestResult result = check.Run(Set);
        Assert.That(result.Passed, Is.True, result.Message);
    }
}

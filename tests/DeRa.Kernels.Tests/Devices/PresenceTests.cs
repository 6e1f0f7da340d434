namespace DeRa.Kernels.Tests;

/// <summary>Says once for each family whether its tests run here, so that an absent device is never passed over in silence.</summary>
public sealed class PresenceTests
{
    [TestCaseSource(typeof(KernelSets), nameof(KernelSets.All))]
    public void The_tests_run_on(string spec)
    {
        if (KernelSets.Absence(spec) is { } reason)
        {
            Assert.That(KernelSets.Present, Does.Not.Contain(spec), reason);
            Assert.Ignore($"no test runs on {spec}: {reason}");
        }

        Assert.That(KernelSets.Present, Does.Contain(spec));
    }
}

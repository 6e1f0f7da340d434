using DeRa.Kernels.Portable;
using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests.Portable;

/// <summary>Every operation against float64 on every OpenCL and CUDA device present, in both forms of the kernels.</summary>
[TestFixtureSource(typeof(PresentDevices), nameof(PresentDevices.Fixtures))]
internal sealed class PortableSelfTests(string device, KernelForm form)
{
    private PortableKernelSet? set;

    private static IEnumerable<string> Operations => SelfTest.Cases.Select(c => c.Operation).Distinct();

    [OneTimeSetUp]
    public void Open() => set = PresentDevices.Open(device, form);

    [OneTimeTearDown]
    public void Close() => set?.Dispose();

    [TestCaseSource(nameof(Operations))]
    public void Every_check_of_the_operation_passes(string operation)
    {
        if ((operation is "RealignHead" or "EnqueueRepeatable") && form == KernelForm.Cooperative && PresentDevices.IsProcessor(device))
        {
            Assert.Ignore(
                $"{device}: the GPU form of {operation}, a head's, is not run on a processor: PoCL 3.1 replicates what follows each conditional barrier and does " +
                "not finish compiling it");
        }

        SelfTestResult[] failed = [.. SelfTest.Run(set!, operation).Where(r => !r.Passed)];
        Assert.That(failed, Is.Empty, string.Join(Environment.NewLine, failed.Select(f => $"{f.Case}: {f.Message}")));
    }
}

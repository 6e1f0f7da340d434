using ILGPU.Runtime.Cuda;

namespace DeRa.Kernels.Tests.Cuda;

/// <summary>Kernels are compiled for a device's own architecture, where driver and compiler know it.</summary>
public sealed class PtxTargetTests
{
    [TestCase(7, 5, 8, 4, ExpectedResult = "7.5")]
    [TestCase(8, 0, 7, 4, ExpectedResult = "8.0")]
    [TestCase(8, 6, 8, 4, ExpectedResult = "8.6")]
    [TestCase(8, 9, 8, 4, ExpectedResult = "8.9")]
    [TestCase(9, 0, 8, 4, ExpectedResult = "9.0")]
    [TestCase(10, 0, 8, 6, ExpectedResult = "10.0")]
    [TestCase(12, 0, 8, 7, ExpectedResult = "12.0")]
    [TestCase(12, 1, 8, 8, ExpectedResult = "12.1")]
    [TestCase(12, 1, 8, 7, ExpectedResult = "12.0", Description = "the driver does not know it yet")]
    [TestCase(10, 3, 8, 6, ExpectedResult = "10.1")]
    [TestCase(8, 9, 7, 4, ExpectedResult = "8.7")]
    [TestCase(13, 0, 8, 8, ExpectedResult = "12.1", Description = "newer than the table")]
    public string The_own_architecture_or_the_newest_before_it(int major, int minor, int isaMajor, int isaMinor)
    {
        CudaArchitecture target = PtxTarget.For(new CudaArchitecture(major, minor), new CudaInstructionSet(isaMajor, isaMinor));
        return $"{target.Major}.{target.Minor}";
    }

    [Test]
    public void Code_for_sm_90_becomes_code_for_sm_90a()
    {
        Assert.That(PtxTarget.ArchitectureSpecific(".version 8.0\n.target sm_90\n.entry"), Is.EqualTo(".version 8.0\n.target sm_90a\n.entry"));
        Assert.That(() => PtxTarget.ArchitectureSpecific(".version 8.0\n.target sm_100\n.entry"), Throws.ArgumentException);
    }
}

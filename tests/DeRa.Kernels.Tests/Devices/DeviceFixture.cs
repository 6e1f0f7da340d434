namespace DeRa.Kernels.Tests;

/// <summary>Holds one open kernel set for the tests of a fixture.</summary>
public abstract class DeviceFixture(string spec)
{
    protected KernelSet Set { get; private set; } = null!;

    [OneTimeSetUp]
    public void OpenSet() => Set = DeviceCatalog.Open(spec);

    [OneTimeTearDown]
    public void CloseSet() => Set?.Dispose();
}

using DeRa.Kernels;

namespace DeRa.Models.Tests;

/// <summary>Kernel sets that the tests run over, opened once. A device that this machine lacks is reported by name; in CI it must be there.</summary>
internal sealed class TestDevice(string name)
{
    private static readonly Dictionary<string, KernelSet> Opened = [];

    public static IEnumerable<string> Names => ["cpu", "opencl"];

    /// <summary>The set; ignores the test where the machine has none.</summary>
    public KernelSet Kernels => Open(name);

    public void Close()
    {
        if (Opened.Remove(name, out KernelSet? set)) set.Dispose();
    }

    public static void CloseAll()
    {
        foreach (KernelSet set in Opened.Values) set.Dispose();
        Opened.Clear();
    }

    private static KernelSet Open(string name)
    {
        if (Opened.TryGetValue(name, out KernelSet? set)) return set;
        try
        {
            set = DeviceCatalog.Open(name);
        }
        catch (DeviceException e) when (name == "opencl")
        {
            Absent.Skip($"device {name} is not on this machine: {e.Message}");
        }

        return Opened[name] = set!;
    }
}

/// <summary>Closes the devices after the last test.</summary>
[SetUpFixture]
public sealed class Devices
{
    [OneTimeTearDown]
    public void Close() => TestDevice.CloseAll();
}

/// <summary>Tests over one device. After a failure the device is opened anew: what the failed test left enqueued must not fail the next.</summary>
internal abstract class DeviceTests(string deviceName)
{
    protected TestDevice Device { get; } = new(deviceName);

    [TearDown]
    public void LeaveAFreshDeviceAfterAFailure()
    {
        if (TestContext.CurrentContext.Result.Outcome.Status == NUnit.Framework.Interfaces.TestStatus.Failed) Device.Close();
    }
}

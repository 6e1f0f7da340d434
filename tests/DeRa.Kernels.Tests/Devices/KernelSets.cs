namespace DeRa.Kernels.Tests;

/// <summary>The kernel sets that one test body runs over, by the flag value of their device.</summary>
public static class KernelSets
{
    /// <summary>Every family.</summary>
    public static string[] All { get; } = ["cpu", "opencl", "cuda"];

    /// <summary>Opens a set, or skips the fixture naming what is absent. A build server has to have an OpenCL device: its absence fails there.</summary>
    public static KernelSet Open(string spec)
    {
        try
        {
            return DeviceCatalog.Open(spec);
        }
        catch (DeviceException absent) when (spec != "cpu")
        {
            if (spec == "opencl" && Environment.GetEnvironmentVariable("CI") == "true")
            {
                throw;
            }

            Assert.Ignore($"{spec}: {absent.Message}");
            throw;
        }
    }
}

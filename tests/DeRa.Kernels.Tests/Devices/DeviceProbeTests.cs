using DeRa.Kernels.Tests.Portable;

namespace DeRa.Kernels.Tests.Devices;

/// <summary>
/// The kernels that measure a device compute what they should, which the probe checks itself, and give a rate: in emulation, and on an OpenCL device in the
/// form for GPUs.
/// </summary>
internal sealed class DeviceProbeTests
{
    [Test]
    public void Emulated_groups_read_and_multiply()
    {
        using var probe = new DeviceProbe(DeviceContext.Emulate(16), 16, leastSeconds: 0);
        IsRate(probe.ReadBytesPerSecond(1 << 20, 2));
        IsRate(probe.FlopsPerSecond(2));
        Assert.That(probe.TensorFlopsPerSecond(2), Is.Null);
    }

    [Test]
    public void Emulated_warps_multiply_ones_on_tensor_cores()
    {
        using var probe = new DeviceProbe(DeviceContext.EmulateWarps(), 32, leastSeconds: 0);
        IsRate(probe.TensorRate(1));
    }

    [Test]
    public void An_OpenCL_device_reads_and_multiplies_in_the_form_for_GPUs()
    {
        using var probe = new DeviceProbe(OpenClDevice.Open(), leastSeconds: 0);
        IsRate(probe.ReadBytesPerSecond(1 << 20, 2));
        IsRate(probe.FlopsPerSecond(2));
        Assert.That(probe.TensorFlopsPerSecond(2), Is.Null);
    }

    private static void IsRate(double perSecond) => Assert.That(perSecond, Is.GreaterThan(0).And.LessThan(double.PositiveInfinity));
}

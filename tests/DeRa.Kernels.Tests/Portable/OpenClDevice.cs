namespace DeRa.Kernels.Tests.Portable;

/// <summary>The first usable OpenCL device, for tests of kernels that no set launches.</summary>
internal static class OpenClDevice
{
    /// <summary>Opens it; the test is skipped where there is none.</summary>
    public static DeviceContext Open()
    {
        DeviceCandidate? device = DeviceCatalog.List().FirstOrDefault(candidate => candidate.IsUsable && candidate.Description.Kind == DeviceKind.OpenCl);
        if (device is null)
        {
            Absent.Skip("no usable OpenCL device");
        }

        return DeviceContext.Open(DeviceKind.OpenCl, device.Description.Index);
    }
}

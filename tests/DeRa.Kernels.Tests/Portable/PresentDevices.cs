using DeRa.Kernels.Portable;

namespace DeRa.Kernels.Tests.Portable;

/// <summary>The OpenCL and CUDA devices of the machine; <see cref="PresenceTests"/> names the families that are absent.</summary>
internal static class PresentDevices
{
    /// <summary>Device and form; a GPU runs only the form made for it.</summary>
    public static IEnumerable<TestFixtureData> Fixtures()
    {
        foreach (DeviceCandidate candidate in DeviceCatalog.List().Where(c => c.IsUsable && c.Description.Kind != DeviceKind.Cpu))
        {
            foreach (KernelForm form in Enum.GetValues<KernelForm>())
            {
                yield return new TestFixtureData(candidate.Description.Id, form);
            }
        }
    }

    /// <summary>Whether the device is a processor.</summary>
    public static bool IsProcessor(string device)
    {
        DeviceDescription description = DeviceCatalog.List().Single(c => c.Description.Id == device).Description;
        using DeviceContext context = DeviceContext.Open(description.Kind, description.Index);
        return context.IsProcessor;
    }

    /// <summary>The device in the form; a form that is not for it is skipped by name.</summary>
    public static PortableKernelSet Open(string device, KernelForm form)
    {
        DeviceDescription description = DeviceCatalog.List().Single(c => c.Description.Id == device).Description;
        DeviceContext context = DeviceContext.Open(description.Kind, description.Index);
        if (form == KernelForm.Serial && !context.IsProcessor)
        {
            context.Dispose();
            Assert.Ignore($"{device} is no processor: the serial form is not for it");
        }

        return new PortableKernelSet(context, form);
    }
}

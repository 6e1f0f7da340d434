namespace DeRa.Kernels.Tests;

public sealed class DeviceCatalogTests
{
    [TestCase("")]
    [TestCase("gpu")]
    [TestCase("CUDA")]
    [TestCase("cpu:0")]
    [TestCase("auto:0")]
    [TestCase("cuda:")]
    [TestCase("cuda:-1")]
    [TestCase("cuda:1:2")]
    [TestCase("opencl: 1")]
    public void A_name_of_another_form_is_refused_with_the_form(string spec) => Assert.That(
        () => DeviceCatalog.Open(spec),
        Throws.TypeOf<DeviceException>().With.Message.Contains($"'{spec}'").And.Message.Contains("auto, cpu, opencl[:number] or cuda[:number]"));

    [TestCase("cuda:987")]
    [TestCase("opencl:987")]
    public void A_number_without_a_device_is_refused_with_what_was_found(string spec) => Assert.That(
        () => DeviceCatalog.Open(spec),
        Throws.TypeOf<DeviceException>().With.Message.Contains($"'{spec}'").And.Message.Contains("Found: cpu ("));

    [Test]
    public void Exactly_one_usable_device_is_the_automatic_choice()
    {
        DeviceCandidate choice = DeviceCatalog.List().Single(c => c.IsAutoChoice);
        Assert.That(choice.IsUsable, Is.True);
        string line = "";
        using KernelSet set = DeviceCatalog.Open("auto", said => line = said);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(set.Device, Is.EqualTo(choice.Description));
            Assert.That(line, Does.StartWith($"device {choice.Description.Id}: ").And.Contain("(auto; "));
        }
    }

    [TestCase(DeviceKind.Cpu)]
    [TestCase(DeviceKind.OpenCl)]
    [TestCase(DeviceKind.Cuda)]
    public void Every_family_is_listed_and_what_cannot_be_used_says_why(DeviceKind kind)
    {
        DeviceCandidate[] family = [.. DeviceCatalog.List().Where(c => c.Description.Kind == kind)];
        Assert.That(family, Is.Not.Empty);
        Assert.That(family.Where(c => !c.IsUsable).Select(c => c.Reason), Is.All.Not.Empty);
        if (kind != DeviceKind.Cpu && !DriverLibraries.IsPresent(kind))
        {
            Assert.That(family.Single().Reason, Does.Contain($"{DriverLibraries.Name(kind)} not found"));
        }
    }
}

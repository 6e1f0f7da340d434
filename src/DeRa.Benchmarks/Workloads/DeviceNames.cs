using DeRa.Models;

namespace DeRa.Benchmarks;

/// <summary>Where an engine runs its pair, in an engine's names; the same name twice is one device.</summary>
/// <param name="Reference">The reference model's device.</param>
/// <param name="Aligned">The aligned model's device.</param>
/// <param name="CaptureSteps">Whether steps that repeat may be recorded there.</param>
public sealed record DeviceNames(string Reference, string Aligned, bool CaptureSteps)
{
    /// <summary>The name, or both: cuda:0+cuda:1.</summary>
    public string Id => Reference == Aligned ? Reference : $"{Reference}+{Aligned}";

    /// <summary>Names of opened devices.</summary>
    public static DeviceNames Of(PairDevices devices)
    {
        ArgumentNullException.ThrowIfNull(devices);
        return new DeviceNames(devices.Reference.Device.Id, devices.Aligned.Device.Id, devices.Head.CapturesSteps);
    }
}

using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// Where a pair runs: both models on one device, or each on its own. With two devices each has its model's layers and cache; final hidden states
/// move, logits never exist. The head, and with it both output matrices, is on the aligned model's device, unless that is a processor and the
/// reference's is not.
/// </summary>
public sealed class PairDevices : IDisposable
{
    /// <summary>Takes over opened devices.</summary>
    /// <param name="reference">The reference model's.</param>
    /// <param name="aligned">The aligned model's; the same set puts both models on one device.</param>
    public PairDevices(KernelSet reference, KernelSet aligned)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(aligned);
        (Reference, Aligned) = (reference, aligned);
        Head = aligned.Device.IsProcessor && !reference.Device.IsProcessor ? reference : aligned;
    }

    /// <summary>Runs the reference model.</summary>
    public KernelSet Reference { get; }

    /// <summary>Runs the aligned model.</summary>
    public KernelSet Aligned { get; }

    /// <summary>Runs the head: one of the two.</summary>
    public KernelSet Head { get; }

    /// <summary>Whether the models are on different devices.</summary>
    public bool AreTwo => Reference != Aligned;

    /// <summary>The devices: the reference's, then the aligned model's where it is another.</summary>
    public IReadOnlyList<KernelSet> Sets => AreTwo ? [Reference, Aligned] : [Reference];

    /// <summary>Opens devices by name.</summary>
    /// <param name="reference">auto, cpu, opencl[:i] or cuda[:i].</param>
    /// <param name="aligned">The same; may name the same device.</param>
    /// <param name="log">Receives a line per device.</param>
    /// <param name="captureSteps">Whether steps that repeat may be recorded, see <see cref="KernelSet.CapturesSteps"/>.</param>
    /// <exception cref="DeviceException">A device named cannot run, or a name is not of this form.</exception>
    public static PairDevices Open(string reference, string aligned, Action<string>? log = null, bool captureSteps = true)
    {
        IReadOnlyList<KernelSet> sets = DeviceCatalog.Open([reference, aligned], log);
        foreach (KernelSet set in sets) set.CapturesSteps = captureSteps;
        return new PairDevices(sets[0], sets[1]);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (KernelSet set in Sets) set.Dispose();
    }
}

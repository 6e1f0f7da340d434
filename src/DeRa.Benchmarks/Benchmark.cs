using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Benchmarks;

/// <summary>Runs workloads over a pair on a device, every way of a case side by side.</summary>
/// <param name="kernels">The device; nothing enqueued.</param>
/// <param name="folders">The pair.</param>
/// <param name="ceilings">The device's, measured before.</param>
/// <param name="options">What to measure.</param>
public sealed class Benchmark(KernelSet kernels, PairFolders folders, DeviceCeilings ceilings, BenchmarkOptions options)
{
    /// <summary>Measures; a list per case, as each ends.</summary>
    /// <exception cref="CheckpointException">A folder cannot be used.</exception>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    /// <exception cref="OperationCanceledException">Between two repeats.</exception>
    public IEnumerable<IReadOnlyList<Measurement>> Run(CancellationToken cancellation = default)
    {
        if (options.Workloads.Contains("load"))
        {
            foreach (IReadOnlyList<Measurement> measured in Measure(LoadWorkload.Cases(kernels, folders, options.WeightType), cancellation))
            {
                yield return measured;
            }
        }

        int hiddenSize = ModelConfig.Load(folders.Reference).HiddenSize;
        foreach (IReadOnlyList<Measurement> measured in RunSteps(cancellation))
        {
            yield return measured;
        }

        if (options.Workloads.Contains("head"))
        {
            foreach (IReadOnlyList<Measurement> measured in Measure(HeadWorkload.Cases(kernels, hiddenSize, options), cancellation))
            {
                yield return measured;
            }
        }
    }

    private IEnumerable<IReadOnlyList<Measurement>> RunSteps(CancellationToken cancellation)
    {
        (string Name, Func<PairSession, BenchmarkOptions, IEnumerable<Case>> Cases)[] workloads =
            [("decode", StepWorkloads.Decode), ("prefill", StepWorkloads.Prefill), ("score", StepWorkloads.Score)];
        var chosen = workloads.Where(workload => options.Workloads.Contains(workload.Name)).ToArray();
        if (chosen.Length == 0)
        {
            yield break;
        }

        using PairSession session = PairSession.Load(kernels, folders, options.WeightType);
        foreach (IReadOnlyList<Measurement> measured in Measure(chosen.SelectMany(workload => workload.Cases(session, options)), cancellation))
        {
            yield return measured;
        }
    }

    // Each case is measured before the next is made: cases of one workload share buffers.
    private IEnumerable<IReadOnlyList<Measurement>> Measure(IEnumerable<Case> cases, CancellationToken cancellation) =>
        from @case in cases
        let variants = @case.Variants.Where(variant => options.Modes.Contains(variant.Mode)).ToArray()
        where variants.Length > 0
        select Measure(@case with { Variants = variants }, cancellation);

    private IReadOnlyList<Measurement> Measure(Case @case, CancellationToken cancellation)
    {
        PeakMemory.Reset();
        Timing[] timings = InterleavedTimer.Measure(@case.Variants, kernels, options.Repeats, cancellation);
        long peak = PeakMemory.Read();
        Timing? naive = @case.Variants.Zip(timings).FirstOrDefault(pair => pair.First.Mode == Mode.Naive).Second;
        double? peer = @case.Variants.Zip(timings)
            .Where(pair => pair.First.Mode == Mode.OpenBlas)
            .Select(pair => (double?)(pair.First.Moved.Flops / pair.Second.Median))
            .SingleOrDefault();
        return
        [
            .. @case.Variants.Zip(timings, (variant, timing) => new Measurement(@case, variant, timing, ceilings)
            {
                Device = kernels.Device.Id,
                Model = folders.Name,
                Repeats = options.Repeats,
                PeakMemoryBytes = peak,
                Fusion = naive is not null && variant.Mode is (Mode.Fused or Mode.FusedSharedHead) ? FusionGain.Of(timing, naive) : null,
                ShareOfPeer = variant.Mode == Mode.OpenBlas ? null : variant.Moved.Flops / timing.Median / peer,
            }),
        ];
    }
}

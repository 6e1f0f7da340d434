using DeRa.Checkpoints;
using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Benchmarks;

/// <summary>Runs workloads over a pair, every way of a case side by side.</summary>
/// <param name="devices">Where the pair runs; nothing enqueued. Of two devices, <c>head</c> measures the one that runs the head.</param>
/// <param name="folders">The pair.</param>
/// <param name="ceilings">The devices', measured before; those that change are measured again in turn with the ways of every case.</param>
/// <param name="options">What to measure.</param>
/// <param name="against">Another device to do the same in turn with the first, or null.</param>
public sealed class Benchmark(
    PairDevices devices, PairFolders folders, DeviceCeilings ceilings, BenchmarkOptions options, MeasuredDevice? against = null)
{
    private readonly MeasuredDevice here = new(devices, ceilings);

    /// <summary>Measures; a list per case, as each ends.</summary>
    /// <exception cref="CheckpointException">A folder cannot be used.</exception>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    /// <exception cref="OperationCanceledException">Between two repeats.</exception>
    public IEnumerable<IReadOnlyList<Measurement>> Run(CancellationToken cancellation = default)
    {
        if (options.Workloads.Contains("load"))
        {
            foreach (IReadOnlyList<Measurement> measured in Measure(on => LoadWorkload.Cases(on, folders, options.WeightType), cancellation))
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
            foreach (IReadOnlyList<Measurement> measured in Measure(on => HeadWorkload.Cases(on.Head, hiddenSize, options), cancellation))
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

        using PairSession session = PairSession.Load(devices, folders, options.WeightType);
        using PairSession? other = against is null ? null : PairSession.Load(against.Devices, folders, options.WeightType);
        foreach (var workload in chosen)
        {
            IEnumerable<Case> Cases(PairDevices on) => on == devices
                ? workload.Cases(session, options)
                : workload.Cases(other!, options with { OpenBlasPeer = false }); // once a case is enough
            foreach (IReadOnlyList<Measurement> measured in Measure(Cases, cancellation))
            {
                yield return measured;
            }
        }
    }

    // Each case is measured before the next is made: cases of one workload share buffers.
    private IEnumerable<IReadOnlyList<Measurement>> Measure(Func<PairDevices, IEnumerable<Case>> cases, CancellationToken cancellation)
    {
        IEnumerable<IEnumerable<(Case Case, MeasuredDevice On)>> together = against is null
            ? cases(devices).Select(own => new[] { (own, here) })
            : cases(devices).Zip(cases(against.Devices), (own, other) => new[] { (own, here), (other, against) });
        return together
            .Select(sides => sides.SelectMany(side => side.Case.Variants.Select(variant => new Way(side.Case, variant, side.On))))
            .Select(ways => ways.Where(way => options.Modes.Contains(way.Variant.Mode)).ToArray())
            .Where(ways => ways.Length > 0)
            .Select(ways => Measure(ways, cancellation));
    }

    private IReadOnlyList<Measurement> Measure(Way[] ways, CancellationToken cancellation)
    {
        using var own = CeilingRounds.Of(here.Ceilings);
        using CeilingRounds? others = against is null || against.Ceilings == here.Ceilings ? null : CeilingRounds.Of(against.Ceilings);
        PeakMemory.Reset();
        Timing[] timings = InterleavedTimer.Measure(
            [.. ways.Select(way => new TimedRun(way.Variant.Run, () => way.On.Devices.Sets.Sum(set => set.LaunchCount)))],
            options.Repeats,
            MeasureCeilings,
            cancellation);
        long peak = PeakMemory.Read() - own.Bytes - (others?.Bytes ?? 0);
        double? peer = ways.Zip(timings)
            .Where(pair => pair.First.Variant.Mode == Mode.OpenBlas)
            .Select(pair => (double?)(pair.First.Variant.Moved.Flops / pair.Second.Median))
            .SingleOrDefault();
        return [.. ways.Zip(timings, ToMeasurement)];

        void MeasureCeilings()
        {
            own.Measure();
            others?.Measure();
        }

        Measurement ToMeasurement(Way way, Timing timing)
        {
            (Mode mode, MeasuredDevice on) = (way.Variant.Mode, way.On);
            Timing? naive = Of(Mode.Naive, on), elsewhere = against is null || on == against ? null : Of(mode, against);
            return new Measurement(way.Case, way.Variant, timing, on == here || others is null ? own.Rounds : others.Rounds)
            {
                Device = on.Id,
                IsOneOfTwoDevices = against is not null,
                Model = folders.Name,
                Repeats = options.Repeats,
                PeakMemoryBytes = peak,
                Fusion = naive is not null && mode is (Mode.Fused or Mode.FusedSharedHead) ? FusionGain.Of(timing, naive) : null,
                ShareOfPeer = mode == Mode.OpenBlas ? null : way.Variant.Moved.Flops / timing.Median / peer,
                Against = elsewhere is null ? null : new DeviceComparison(against!.Id, elsewhere.Median / timing.Median),
            };
        }

        Timing? Of(Mode mode, MeasuredDevice on) =>
            ways.Zip(timings).FirstOrDefault(pair => pair.First.Variant.Mode == mode && pair.First.On == on).Second;
    }

    private sealed record Way(Case Case, Variant Variant, MeasuredDevice On);
}

/// <summary>A device, or the two of a pair, with its ceilings.</summary>
/// <param name="Devices">The device; nothing enqueued.</param>
/// <param name="Ceilings">Measured before.</param>
public sealed record MeasuredDevice(PairDevices Devices, DeviceCeilings Ceilings)
{
    /// <summary>The device, or the reference's and the aligned model's: cuda:0+cuda:1.</summary>
    public string Id => DeviceNames.Of(Devices).Id;
}

namespace DeRa.Benchmarks;

/// <summary>Everything that one run of the bench has measured so far.</summary>
public sealed record BenchReport
{
    /// <summary>The devices in words.</summary>
    public required string Device { get; init; }

    /// <summary>The device's ceilings; null where no workload with floors was run.</summary>
    public DeviceCeilings? Ceilings { get; init; }

    /// <summary>Workloads with floors: measurements, a list per case.</summary>
    public IReadOnlyList<IReadOnlyList<Measurement>> Cases { get; init; } = [];

    /// <summary>An engine under load, a measurement per case.</summary>
    public IReadOnlyList<ServeMeasurement> Serve { get; init; } = [];

    /// <summary>Speculation, a measurement per batch and way.</summary>
    public IReadOnlyList<SpeculateMeasurement> Speculate { get; init; } = [];

    /// <summary>The pair; random models of another distance in speculation.</summary>
    public string Model => Cases.Select(list => list[0].Model).Concat(Serve.Select(one => one.Model)).Concat(Speculate.Select(one => one.Model)).FirstOrDefault("");
}

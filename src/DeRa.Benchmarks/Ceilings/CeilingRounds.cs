namespace DeRa.Benchmarks;

/// <summary>
/// A processor's ceilings while a case is timed, measured in turn with its ways: a machine's memory and clock may change from minute to minute with what else
/// it does, and a share says something only of the same minute. Other devices keep the ceilings they have.
/// </summary>
internal sealed class CeilingRounds : IDisposable
{
    private readonly DeviceCeilings before;
    private readonly ReadMemory? memory;
    private readonly List<double> reads = [], flops = [];

    private CeilingRounds(DeviceCeilings before, ReadMemory? memory) => (this.before, this.memory) = (before, memory);

    /// <summary>Bytes that measuring holds until it is disposed of.</summary>
    public long Bytes => memory?.Bytes ?? 0;

    /// <summary>Of a device whose ceilings are known.</summary>
    /// <param name="ceilings">Measured before.</param>
    public static CeilingRounds Of(DeviceCeilings ceilings) =>
        new(ceilings, ceilings.IsProcessor ? new ReadMemory(Environment.ProcessorCount, ProcessorCeilings.WorkingSetBytes) : null);

    /// <summary>Measures once.</summary>
    public void Measure()
    {
        if (memory is not null)
        {
            reads.Add(memory.BytesPerSecond(repeats: 1));
            flops.Add(ProcessorCeilings.FlopsPerSecond(Environment.ProcessorCount, repeats: 1));
        }
    }

    /// <summary>The medians of all rounds; as before where none was measured.</summary>
    public DeviceCeilings Medians() => reads.Count == 0
        ? before
        : before with { ReadBytesPerSecond = Medians(reads), FlopsPerSecond = Medians(flops) };

    /// <inheritdoc />
    public void Dispose() => memory?.Dispose();

    private static double Medians(List<double> values) => new Timing([.. values.Order()], 0).Median;
}

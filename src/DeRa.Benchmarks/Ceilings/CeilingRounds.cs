namespace DeRa.Benchmarks;

/// <summary>
/// A processor's ceilings while a case is timed, measured in turn with its ways: a machine's memory and clock may change from minute to minute with what else
/// it does, and a share says something only of the same minute. Other devices keep the ceilings they have.
/// </summary>
internal sealed class CeilingRounds : IDisposable
{
    private readonly DeviceCeilings before;
    private readonly ReadMemory? memory;
    private readonly List<DeviceCeilings> rounds = [];

    private CeilingRounds(DeviceCeilings before, ReadMemory? memory) => (this.before, this.memory) = (before, memory);

    /// <summary>Bytes that measuring holds until it is disposed of.</summary>
    public long Bytes => memory?.Bytes ?? 0;

    /// <summary>Of a device whose ceilings are known.</summary>
    /// <param name="ceilings">Measured before.</param>
    public static CeilingRounds Of(DeviceCeilings ceilings) =>
        new(ceilings, ceilings.IsProcessor ? new ReadMemory(Environment.ProcessorCount, ProcessorCeilings.WorkingSetBytes) : null);

    /// <summary>What was measured: an entry per round.</summary>
    public IReadOnlyList<DeviceCeilings> Rounds => rounds;

    /// <summary>A round: measures where ceilings change.</summary>
    public void Measure() => rounds.Add(memory is null ? before : before with
    {
        ReadBytesPerSecond = memory.BytesPerSecond(repeats: 1),
        FlopsPerSecond = ProcessorCeilings.FlopsPerSecond(Environment.ProcessorCount, repeats: 1),
    });

    /// <inheritdoc />
    public void Dispose() => memory?.Dispose();
}

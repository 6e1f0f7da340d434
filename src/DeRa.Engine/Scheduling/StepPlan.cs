namespace DeRa.Engine.Scheduling;

/// <summary>
/// A run of consecutive tokens of one sequence in a step. The models end at the same token; one may have more to catch up with than the other,
/// where a block it shares was computed for requests that needed only the other.
/// </summary>
/// <param name="Sequence">Whose tokens.</param>
/// <param name="ReferenceStart">First token that the reference computes; End where it computes none.</param>
/// <param name="AlignedStart">First token that the aligned model computes; End where it computes none.</param>
/// <param name="End">Position after the last token.</param>
internal readonly record struct Chunk(Sequence Sequence, int ReferenceStart, int AlignedStart, int End)
{
    /// <summary>First token of either model.</summary>
    public int Start => Math.Min(ReferenceStart, AlignedStart);

    /// <summary>Tokens of the model that computes more.</summary>
    public int Count => End - Start;

    /// <summary>Whether the chunk reaches the sequence's last token, so that the step draws the next one.</summary>
    public bool DrawsToken => End == Sequence.Tokens.Count;

    /// <summary>Hidden states wanted of the chunk's last tokens: one to draw from, or one per scored position.</summary>
    public int Outputs => Sequence.IsScored ? Math.Max(0, End - Math.Max(LaterStart, Sequence.FirstOutput)) : DrawsToken ? 1 : 0;

    /// <summary>First token that every model computes that is needed at all.</summary>
    private int LaterStart => Sequence.Needs switch
    {
        ModelSet.Reference => ReferenceStart,
        ModelSet.Aligned => AlignedStart,
        _ => Math.Max(ReferenceStart, AlignedStart),
    };
}

/// <summary>What a step does: copies of blocks first, then the chunks. Reused from step to step.</summary>
internal sealed class StepPlan
{
    public List<Chunk> Chunks { get; } = [];

    /// <summary>Blocks to copy in both caches before anything is computed.</summary>
    public List<(int From, int To)> Copies { get; } = [];

    public void Clear()
    {
        Chunks.Clear();
        Copies.Clear();
    }
}

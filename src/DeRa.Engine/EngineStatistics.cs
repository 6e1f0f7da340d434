namespace DeRa.Engine;

/// <summary>What an engine is doing and has done, as of its last step. Counts of the past only grow.</summary>
public sealed record EngineStatistics
{
    /// <summary>Samples and texts that take part in steps.</summary>
    public int Running { get; init; }

    /// <summary>Samples and texts that wait for room.</summary>
    public int Waiting { get; init; }

    /// <summary>Cache blocks in each model's pool.</summary>
    public int Blocks { get; init; }

    /// <summary>Positions that a block holds.</summary>
    public int BlockSize { get; init; }

    /// <summary>Blocks held by what runs.</summary>
    public int BlocksInUse { get; init; }

    /// <summary>Blocks that nothing running holds, kept because their content may be asked for again; taken when others are needed.</summary>
    public int BlocksRemembered { get; init; }

    /// <summary>Steps run.</summary>
    public long Steps { get; init; }

    /// <summary>Tokens put out.</summary>
    public long GeneratedTokens { get; init; }

    /// <summary>Positions scored.</summary>
    public long ScoredTokens { get; init; }

    /// <summary>Prompt tokens that the reference model ran over, output computed again after a preemption included.</summary>
    public long ReferencePrefillTokens { get; init; }

    /// <summary>The same of the aligned model.</summary>
    public long AlignedPrefillTokens { get; init; }

    /// <summary>Tokens that either model ran over one at a time, to draw the next; samples that have not parted count once.</summary>
    public long DecodeTokens { get; init; }

    /// <summary>Tokens that a model did not have to run over because their keys and values were in the cache.</summary>
    public long PrefixHitTokens { get; init; }

    /// <summary>Times that a running sequence gave its blocks back to make room, to be computed again.</summary>
    public long Preemptions { get; init; }

    /// <summary>Times that samples of one text parted because they drew different tokens.</summary>
    public long Forks { get; init; }

    /// <summary>What drafts have come to.</summary>
    public SpeculationStatistics Speculation { get; init; }
}

namespace DeRa.Engine.Scheduling;

/// <summary>What a scheduler has done since it began; only grows.</summary>
internal sealed class SchedulerCounters
{
    /// <summary>Prompt tokens (and output computed again) that the reference ran over.</summary>
    public long ReferencePrefillTokens { get; set; }

    /// <summary>The same for the aligned model.</summary>
    public long AlignedPrefillTokens { get; set; }

    /// <summary>Newest tokens, one at a time, that either model ran over.</summary>
    public long DecodeTokens { get; set; }

    /// <summary>Tokens of either model that were found in the cache.</summary>
    public long PrefixHitTokens { get; set; }

    /// <summary>Sequences pushed out to make room; each is computed again later.</summary>
    public long Preemptions { get; set; }

    /// <summary>Sequences computed again because they grew into other rotations.</summary>
    public long Restarts { get; set; }

    /// <summary>Sequences that parted from others by drawing another token.</summary>
    public long Forks { get; set; }

    /// <summary>Blocks copied at the first write after a fork.</summary>
    public long CopiedBlocks { get; set; }
}

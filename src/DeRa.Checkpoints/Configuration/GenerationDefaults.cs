namespace DeRa.Checkpoints;

/// <summary>Sampling values a checkpoint suggests in generation_config.json; null where it says nothing.</summary>
public sealed record GenerationDefaults
{
    /// <summary>Whether to sample at all.</summary>
    public bool? DoSample { get; init; }

    /// <summary>Divides the logits before softmax.</summary>
    public float? Temperature { get; init; }

    /// <summary>Nucleus mass in (0, 1].</summary>
    public float? TopP { get; init; }

    /// <summary>Number of candidates kept; 0 keeps all.</summary>
    public int? TopK { get; init; }

    /// <summary>Smallest probability kept, relative to the largest.</summary>
    public float? MinP { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens seen before.</summary>
    public float? RepetitionPenalty { get; init; }
}

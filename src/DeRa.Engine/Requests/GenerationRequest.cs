namespace DeRa.Engine;

/// <summary>One realigned generation. Immutable; validated when it is submitted.</summary>
public sealed record GenerationRequest
{
    /// <summary>Prompt ids, special tokens included; at least one.</summary>
    public required IReadOnlyList<int> PromptTokens { get; init; }

    /// <summary>
    /// λ: 0 is the reference, 1 the aligned model, more extrapolates; it stands for KL strength β/λ. A number, or a schedule that changes it from
    /// token to token.
    /// </summary>
    public LambdaSchedule Lambda { get; init; } = 1;

    /// <summary>How tokens are drawn.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>
    /// Samples of the prompt, each drawn with a stream of its own: sample i as a request by itself would with <see cref="SamplingOptions.Stream"/> + i.
    /// The prompt is computed once for all.
    /// </summary>
    public int Samples { get; init; } = 1;

    /// <summary>Most tokens to put out, per sample.</summary>
    public int MaxTokens { get; init; } = 128;

    /// <summary>Token ids that end the output and belong to it; null takes the models' end-of-sequence ids, empty never stops.</summary>
    public IReadOnlyList<int>? StopTokens { get; init; }

    /// <summary>Texts that end the output; the text is cut before the first of them.</summary>
    public IReadOnlyList<string> StopTexts { get; init; } = [];

    /// <summary>
    /// Also report log-probabilities under each model and KL against the reference. Costs the reference model's forward at λ = 1, which otherwise
    /// runs the aligned model alone; λ = 0 runs the reference alone all the same.
    /// </summary>
    public bool Statistics { get; init; }

    /// <summary>Most likely tokens to report per position.</summary>
    public int TopTokens { get; init; }

    /// <summary>Whether the reference model has to run.</summary>
    public bool NeedsReference => Lambda.ConstantValue != 1 || Statistics;

    /// <summary>Whether the aligned model has to run.</summary>
    public bool NeedsAligned => Lambda.ConstantValue != 0;

    /// <summary>Whether the divergence is computed at every position: it is reported, or λ depends on it.</summary>
    internal bool NeedsStatistics => Statistics || Lambda.NeedsDivergence;
}

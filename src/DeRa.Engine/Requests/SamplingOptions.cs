namespace DeRa.Engine;

/// <summary>
/// How tokens are drawn from the mixture; the exact order of the steps is that of <see cref="DeRa.Kernels.HeadRow"/>. Immutable; the
/// defaults sample the mixture as it is.
/// </summary>
public sealed record SamplingOptions
{
    /// <summary>Always the most likely token.</summary>
    public static SamplingOptions Greedy { get; } = new() { Temperature = 0 };

    /// <summary>Divides the logits; 0 is greedy, other values are at least 10⁻¹².</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Keeps the k most likely tokens; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps the smallest set of most likely tokens with at least this mass; 1 keeps all.</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Keeps tokens at least this likely relative to the most likely one; 0 keeps all.</summary>
    public float MinP { get; init; }

    /// <summary>Divides positive and multiplies negative logits of tokens that occur in prompt or output; 1 changes nothing.</summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Subtracted once from the logits of tokens put out before.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Subtracted per earlier output of a token.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Added to logits by token id; −∞ forbids a token.</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = new Dictionary<int, float>();

    /// <summary>Same seed, same tokens; the noise is keyed by (seed, stream, position, token id).</summary>
    public ulong Seed { get; init; }

    /// <summary>Distinguishes samples drawn under one seed.</summary>
    public uint Stream { get; init; }

    /// <summary>
    /// Keys the noise by the prompt as well: equal (prompt, step, token id) get equal noise under every λ and every request with this seed, and
    /// different prompts get noise that is independent. Otherwise prompts of one length share their noise.
    /// </summary>
    public bool Coupled { get; init; }

    /// <summary>Whether anything depends on which tokens were seen or on a bias.</summary>
    public bool AdjustsLogits =>
        RepetitionPenalty != 1 || PresencePenalty != 0 || FrequencyPenalty != 0 || LogitBias.Count > 0;

    /// <summary>Checks every value and names the first that is out of range.</summary>
    /// <param name="vocabularySize">Ids in <see cref="LogitBias"/> must be below it.</param>
    /// <exception cref="RequestException">A value is out of range.</exception>
    public void Validate(int vocabularySize)
    {
        Require(Temperature == 0 || (float.IsFinite(Temperature) && Temperature >= RequestLimits.Temperature), "temperature", "0 (greedy), or a finite number of at least 1E-12", Temperature);
        Require(TopK >= 0, "top-k", "0 (off) or more", TopK);
        Require(TopP is > 0 and <= 1, "top-p", "more than 0 and at most 1", TopP);
        Require(MinP is >= 0 and <= 1, "min-p", "between 0 and 1", MinP);
        Require(
            RepetitionPenalty is >= 1 / RequestLimits.RepetitionPenalty and <= RequestLimits.RepetitionPenalty,
            "repetition penalty", "a number between 1E-06 and 1E+06", RepetitionPenalty);
        Require(Math.Abs(PresencePenalty) <= RequestLimits.Magnitude, "presence penalty", "a number between -1E+12 and 1E+12", PresencePenalty);
        Require(Math.Abs(FrequencyPenalty) <= RequestLimits.Magnitude, "frequency penalty", "a number between -1E+12 and 1E+12", FrequencyPenalty);
        foreach ((int id, float bias) in LogitBias)
        {
            Require(id >= 0 && id < vocabularySize, "logit bias", $"a token id between 0 and {vocabularySize - 1}", id);
            Require(bias <= RequestLimits.Magnitude, $"logit bias of token {id}", "a number of at most 1E+12, or −∞", bias);
        }
    }

    /// <summary>Key of the noise for a prompt: the seed, or with <see cref="Coupled"/> seed and prompt mixed by SplitMix64's finalizer.</summary>
    internal ulong SeedOf(IReadOnlyList<int> prompt)
    {
        if (!Coupled)
        {
            return Seed;
        }

        ulong state = Mix(Seed);
        foreach (int token in prompt)
        {
            state = Mix(state ^ (uint)token);
        }

        return state;
    }

    // Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014): one step of the sequence and its finalizer.
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    private static void Require<T>(bool met, string what, string expected, T found)
    {
        if (!met)
        {
            throw new RequestException(FormattableString.Invariant($"{what}: expected {expected}, found {found}"));
        }
    }
}

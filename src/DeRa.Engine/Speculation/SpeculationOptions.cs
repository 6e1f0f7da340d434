namespace DeRa.Engine;

/// <summary>Who drafts tokens ahead of the mixture.</summary>
public enum SpeculationMode
{
    /// <summary>Nobody: every token costs one pass of each model.</summary>
    Off,

    /// <summary>
    /// The models in turn: whichever has just run drafts the next token, and the other's pass over it both judges it and makes that one the drafter. With
    /// acceptance α a token costs 2 − α passes.
    /// </summary>
    Alternating,

    /// <summary>The reference drafts several tokens, then one pass of the aligned model judges them all. Pays where the reference is much the smaller.</summary>
    OneSided,
}

/// <summary>How a drafted token is judged. Both give exactly the mixture's law.</summary>
public enum SpeculationRule
{
    /// <summary>
    /// The draft is drawn with the noise of the token it stands for, and stands where plain decoding draws the same. The output is that of plain decoding,
    /// token for token, at every temperature.
    /// </summary>
    Coupled,

    /// <summary>
    /// The draft stands with probability min(1, p/q), else a token is drawn from max(0, p − q): more drafts stand than by any other rule. The law is plain
    /// decoding's, the tokens are not, and they depend on which steps speculated. Requests that ask for figures are decoded plainly.
    /// </summary>
    Ratio,
}

/// <summary>How the engine speculates. Off by default.</summary>
public sealed record SpeculationOptions
{
    /// <summary>Largest value of <see cref="Drafts"/>.</summary>
    public const int MostDrafts = 32;

    /// <summary>Who drafts.</summary>
    public SpeculationMode Mode { get; init; }

    /// <summary>How drafts are judged.</summary>
    public SpeculationRule Rule { get; init; }

    /// <summary>Drafts per pass of the aligned model, with <see cref="SpeculationMode.OneSided"/>.</summary>
    public int Drafts { get; init; } = 4;

    /// <summary>
    /// Sequences that decode together beyond which steps are plain: a pass over twice the rows is cheap only as long as reading the weights is what a step
    /// costs.
    /// </summary>
    public int MaxSequences { get; init; } = 4;

    /// <summary>Share of recent drafts that have to stand; below it steps are plain for a while. 0 never turns off.</summary>
    public double MinAcceptance { get; init; } = 0.25;

    /// <summary>Most drafts of one sequence.</summary>
    internal int Depth => Mode == SpeculationMode.OneSided ? Drafts : 1;

    internal void Validate()
    {
        Require(Drafts is >= 1 and <= MostDrafts, "drafts", $"1 to {MostDrafts}", Drafts);
        Require(MaxSequences >= 1, "sequences that speculate", "at least 1", MaxSequences);
        Require(MinAcceptance is >= 0 and <= 1, "least acceptance", "between 0 and 1", MinAcceptance);
    }

    private static void Require<T>(bool met, string what, string expected, T found)
    {
        if (!met)
        {
            throw new ArgumentException(FormattableString.Invariant($"speculation, {what}: expected {expected}, found {found}"));
        }
    }
}

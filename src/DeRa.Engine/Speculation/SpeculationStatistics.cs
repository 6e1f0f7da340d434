namespace DeRa.Engine;

/// <summary>What speculation has done since the engine was loaded. Tokens and passes of plain steps are not in it.</summary>
/// <param name="Tokens">Tokens drawn in speculative steps.</param>
/// <param name="Passes">Passes of one model over one sequence that they took; plain decoding takes two per token.</param>
/// <param name="Drafted">Drafts judged.</param>
/// <param name="Accepted">Drafts that stood.</param>
public readonly record struct SpeculationStatistics(long Tokens, long Passes, long Drafted, long Accepted)
{
    /// <summary>α: the share of judged drafts that stood; NaN before the first.</summary>
    public double Acceptance => (double)Accepted / Drafted;

    /// <summary>Model passes per token: 2 plainly, 2 − α in the long run with alternating drafts. NaN before the first.</summary>
    public double PassesPerToken => (double)Passes / Tokens;
}

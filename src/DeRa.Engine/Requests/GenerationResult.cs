using DeRa.Kernels;

namespace DeRa.Engine;

/// <summary>Why a generation ended.</summary>
public enum FinishReason
{
    /// <summary>A stop token or stop text.</summary>
    Stop,

    /// <summary>The token limit or the models' context.</summary>
    Length,
}

/// <summary>One token of a generation. Natural logarithms, of the plain mixture before temperature, penalties and cuts.</summary>
/// <param name="TokenId">The token.</param>
/// <param name="Lambda">λ it was drawn under.</param>
/// <param name="Text">Text that became certain with it; may be empty while a character is incomplete.</param>
/// <param name="LogProb">log p_λ(token).</param>
/// <param name="LogProbReference">log p_r(token); known at λ = 0 and where the request asks for statistics, else null.</param>
/// <param name="LogProbAligned">log p_a(token); known at λ = 1 and, for λ ≠ 0, where the request asks for statistics, else null.</param>
/// <param name="KlReference">KL(p_λ ‖ p_r) at this position; 0 at λ = 0, known where the request asks for statistics, else null.</param>
/// <param name="TopTokens">Most likely tokens at this position, if asked for.</param>
/// <param name="Finish">Set on the last event.</param>
public sealed record TokenEvent(
    int TokenId,
    float Lambda,
    string Text,
    float LogProb,
    float? LogProbReference,
    float? LogProbAligned,
    float? KlReference,
    IReadOnlyList<TopToken> TopTokens,
    FinishReason? Finish)
{
    /// <summary>Which of the request's samples it belongs to, from 0.</summary>
    public int Sample { get; init; }
}

/// <summary>A whole generation.</summary>
/// <param name="Tokens">Ids put out, a stop token included.</param>
/// <param name="Text">Their text without special tokens, cut before a stop text.</param>
/// <param name="Finish">Why it ended.</param>
/// <param name="LogProb">Σ log p_λ(token).</param>
/// <param name="KlReference">Σ KL(p_λ ‖ p_r) over the positions; null where a position's is.</param>
/// <param name="Events">Token by token.</param>
public sealed record GenerationResult(
    IReadOnlyList<int> Tokens, string Text, FinishReason Finish, double LogProb, double? KlReference, IReadOnlyList<TokenEvent> Events)
{
    /// <summary>Collects one sample's events.</summary>
    /// <param name="events">All of them.</param>
    /// <param name="text">Decodes the tokens as a whole; null joins the texts of the events, which end before a stop text.</param>
    internal static GenerationResult Of(IReadOnlyList<TokenEvent> events, PairText? text)
    {
        int[] tokens = [.. events.Select(token => token.TokenId)];
        return new GenerationResult(
            tokens,
            text is not null ? text.Decode(tokens) : string.Concat(events.Select(token => token.Text)),
            events[^1].Finish!.Value,
            events.Sum(token => (double)token.LogProb),
            events.All(token => token.KlReference is not null) ? events.Sum(token => (double)token.KlReference!.Value) : null,
            events);
    }
}

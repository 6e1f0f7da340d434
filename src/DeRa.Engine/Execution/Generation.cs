using System.Threading.Channels;
using DeRa.Engine.Scheduling;
using DeRa.Kernels;
using DeRa.Tokenization;

namespace DeRa.Engine.Execution;

/// <summary>
/// A request between its caller and the engine's thread: the sequence, the text made of it so far, and the channel its events leave through.
/// </summary>
internal sealed class Generation(Sequence sequence, IReadOnlySet<int> stopTokens, StreamingDecoder? decoder)
{
    private readonly Channel<TokenEvent> events = Channel.CreateUnbounded<TokenEvent>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly StopTextFilter stopText = new(sequence.Request.StopTexts);
    private volatile bool cancelled;

    public Sequence Sequence { get; } = sequence;

    public ChannelReader<TokenEvent> Events => events.Reader;

    /// <summary>Set when nobody reads any more; the engine then drops the sequence before its next step.</summary>
    public bool Cancelled => cancelled;

    public void Cancel() => cancelled = true;

    /// <summary>Takes a drawn token: appends it, publishes its event, and says whether the generation has ended.</summary>
    public bool Commit(HeadResult result, TopToken[] topTokens)
    {
        Sequence.Append(result.Token);
        string text = stopText.Append(decoder?.Append(result.Token) ?? "");
        FinishReason? finish =
            stopTokens.Contains(result.Token) || stopText.Stopped ? FinishReason.Stop
            : Sequence.OutputLength == Sequence.MaxTokens ? FinishReason.Length
            : null;
        if (finish is not null && !stopText.Stopped)
        {
            text += stopText.Append(decoder?.Flush() ?? "");
            text += stopText.Flush();
        }

        // At λ = 0 the mixture is the reference, at λ = 1 the aligned model, whichever figures the head was asked for.
        float lambda = Sequence.Request.Lambda;
        events.Writer.TryWrite(new TokenEvent(
            result.Token,
            text,
            result.LogProb,
            lambda == 0 ? result.LogProb : Known(result.LogProbReference),
            lambda == 1 ? result.LogProb : Known(result.LogProbAligned),
            lambda == 0 ? 0 : Known(result.KlReference),
            topTokens,
            finish));
        if (finish is not null)
        {
            events.Writer.TryComplete();
        }

        return finish is not null;
    }

    public void Fail(Exception exception) => events.Writer.TryComplete(exception);

    private static float? Known(float value) => float.IsNaN(value) ? null : value;
}

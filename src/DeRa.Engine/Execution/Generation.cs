using System.Threading.Channels;
using DeRa.Engine.Scheduling;
using DeRa.Kernels;
using DeRa.Tokenization;

namespace DeRa.Engine.Execution;

/// <summary>
/// A request between its caller and the engine's thread: the sequence, the text made of it so far, and the channel its events leave through.
/// </summary>
internal sealed class Generation : Job
{
    private readonly IReadOnlySet<int> stopTokens;
    private readonly StreamingDecoder? decoder;
    private readonly Channel<TokenEvent> events = Channel.CreateUnbounded<TokenEvent>(
        new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

    private readonly StopTextFilter stopText;
    private double klReference;

    public Generation(GenerationRequest request, int maxTokens, IReadOnlySet<int> stopTokens, StreamingDecoder? decoder)
    {
        Request = request;
        Sequence = new Sequence(request.PromptTokens, maxTokens) { Job = this };
        this.stopTokens = stopTokens;
        this.decoder = decoder;
        stopText = new StopTextFilter(request.StopTexts);
    }

    public GenerationRequest Request { get; }

    public override Sequence Sequence { get; }

    public ChannelReader<TokenEvent> Events => events.Reader;

    /// <summary>λ of the next token; valid until the next call.</summary>
    public float Lambda { get; private set; }

    /// <summary>Asks the schedule for λ of the next token, once per token.</summary>
    /// <exception cref="RequestException">The schedule threw, or gave a value that is not finite.</exception>
    public void PrepareLambda()
    {
        try
        {
            Lambda = Request.Lambda.At(new LambdaPosition(Sequence.OutputLength, klReference));
        }
        catch (Exception exception)
        {
            throw new RequestException($"lambda: the schedule failed at token {Sequence.OutputLength}: {exception.Message}", exception);
        }

        if (!float.IsFinite(Lambda))
        {
            throw new RequestException($"lambda: expected a finite number from the schedule at token {Sequence.OutputLength}, found {Lambda}");
        }
    }

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
        float? kl = Lambda == 0 ? 0 : Known(result.KlReference);
        klReference += kl ?? 0;
        events.Writer.TryWrite(new TokenEvent(
            result.Token,
            Lambda,
            text,
            result.LogProb,
            Lambda == 0 ? result.LogProb : Known(result.LogProbReference),
            Lambda == 1 ? result.LogProb : Known(result.LogProbAligned),
            kl,
            topTokens,
            finish));
        if (finish is not null)
        {
            events.Writer.TryComplete();
        }

        return finish is not null;
    }

    public override void Fail(Exception exception) => events.Writer.TryComplete(exception);

    private static float? Known(float value) => float.IsNaN(value) ? null : value;
}

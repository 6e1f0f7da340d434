using System.Diagnostics;
using DeRa.Engine.Scheduling;
using DeRa.Kernels;
using DeRa.Tokenization;

namespace DeRa.Engine.Execution;

/// <summary>
/// One sample of a request: draws from its sequence, makes text of what it drew, looks for stops, and publishes events.
/// </summary>
internal sealed class Generation : Job
{
    private readonly IReadOnlySet<int> stopTokens;
    private readonly StreamingDecoder? decoder;
    private readonly EventStream events;
    private readonly StopTextFilter stopText;
    private readonly bool countsOutputs, isSingleModel;
    private readonly int maxTokens, sample;
    private readonly EngineMetrics metrics;
    private readonly long arrived = Stopwatch.GetTimestamp();
    private long firstToken;
    private double klReference;
    private readonly List<TokenEvent> unpublished = [];
    private Exception? failure;

    /// <param name="request">What was asked for.</param>
    /// <param name="sample">Which of the request's samples this is.</param>
    /// <param name="maxTokens">Most tokens to put out: the request's limit, or what the models' positions leave of it.</param>
    /// <param name="stopTokens">Ids that end the output.</param>
    /// <param name="context">What is the same for all requests of an engine.</param>
    /// <param name="events">Where events go.</param>
    public Generation(
        GenerationRequest request, int sample, int maxTokens, IReadOnlySet<int> stopTokens, GenerationContext context, EventStream events)
        : base(context.Needs(request), request.PromptTokens.Count)
    {
        Request = request;
        this.sample = sample;
        this.maxTokens = maxTokens;
        this.stopTokens = stopTokens;
        this.events = events;
        decoder = context.Text.StreamingDecoder();
        metrics = context.Metrics;
        isSingleModel = context.IsSingleModel;
        stopText = new StopTextFilter(request.StopTexts);
        countsOutputs = request.Sampling.AdjustsLogits;
        (Seed, Stream) = (request.Sampling.SeedOf(request.PromptTokens), request.Sampling.Stream + (uint)sample);
        Sequence = new Sequence(request.PromptTokens, this);
    }

    public GenerationRequest Request { get; }

    /// <summary>Key of the noise.</summary>
    public ulong Seed { get; }

    /// <summary>Tells samples of one seed apart.</summary>
    public uint Stream { get; }

    /// <summary>λ of the next token.</summary>
    public float Lambda { get; private set; }

    public int OutputLength { get; private set; }

    /// <summary>Tokens that may still be drawn.</summary>
    public int Remaining => maxTokens - OutputLength;

    /// <summary>Ids of the output with how often each was put out; kept only where the sampling depends on it.</summary>
    public Dictionary<int, int> OutputCounts { get; } = [];

    /// <summary>Asks the schedule for λ of the next token. A schedule that fails ends the request; whether it goes on.</summary>
    public bool TryPrepareLambda()
    {
        try
        {
            Lambda = Request.Lambda.At(new LambdaPosition(OutputLength, klReference));
        }
        catch (Exception exception)
        {
            Fail(new RequestException($"lambda: the schedule failed at token {OutputLength}: {exception.Message}", exception));
            return false;
        }

        if (!RequestLimits.IsLambda(Lambda))
        {
            Fail(new RequestException($"lambda: expected {RequestLimits.Lambda} from the schedule at token {OutputLength}, found {Lambda}"));
            return false;
        }

        return true;
    }

    /// <summary>Takes a drawn token; ends where it is a stop or the last.</summary>
    public void Commit(HeadResult result, TopToken[] topTokens)
    {
        LastToken = result.Token;
        if (OutputLength++ == 0)
        {
            firstToken = Stopwatch.GetTimestamp();
            metrics.FirstToken(arrived);
        }

        if (countsOutputs)
        {
            OutputCounts[result.Token] = OutputCounts.GetValueOrDefault(result.Token) + 1;
        }

        string text = stopText.Append(decoder?.Append(result.Token) ?? "");
        FinishReason? finish =
            stopTokens.Contains(result.Token) || stopText.Stopped ? FinishReason.Stop
            : OutputLength == maxTokens ? FinishReason.Length
            : null;
        if (finish is not null && !stopText.Stopped)
        {
            text += stopText.Append(decoder?.Flush() ?? "");
            text += stopText.Flush();
        }

        TokenEvent drawn = Event(result, text, topTokens, finish);
        klReference += drawn.KlReference ?? 0;
        unpublished.Add(drawn);
        Ended = finish is not null;
        if (Ended)
        {
            metrics.Ended(firstToken, OutputLength);
        }
        else
        {
            TryPrepareLambda();
        }
    }

    public override void Fail(Exception exception)
    {
        Ended = true;
        failure = exception;
        if (unpublished.Count == 0)
        {
            events.Fail(exception);
        }
    }

    public override void Publish()
    {
        foreach (TokenEvent drawn in unpublished)
        {
            events.Write(drawn);
        }

        unpublished.Clear();
        if (failure is not null)
        {
            events.Fail(failure);
        }
    }

    /// <summary>At λ = 0 the mixture is the reference, at λ = 1 the aligned model, whichever figures the head was asked for; one model is both.</summary>
    private TokenEvent Event(HeadResult result, string text, TopToken[] topTokens, FinishReason? finish) => new(
        result.Token,
        Lambda,
        text,
        result.LogProb,
        Lambda == 0 || isSingleModel ? result.LogProb : Known(result.LogProbReference),
        Lambda == 1 || isSingleModel ? result.LogProb : Known(result.LogProbAligned),
        Lambda == 0 || isSingleModel ? 0 : Known(result.KlReference),
        topTokens,
        finish)
    {
        Sample = sample,
    };

    private static float? Known(float value) => float.IsNaN(value) ? null : value;
}

/// <summary>What is the same for all generations of an engine.</summary>
/// <param name="Text">Tokenizer.</param>
/// <param name="Metrics">Where times are recorded.</param>
/// <param name="IsSingleModel">Whether one model is both sides of the pair: then λ changes nothing, and it is run as the reference.</param>
internal sealed record GenerationContext(PairText Text, EngineMetrics Metrics, bool IsSingleModel)
{
    public ModelSet Needs(GenerationRequest request) => IsSingleModel
        ? ModelSet.Reference
        : (request.NeedsReference ? ModelSet.Reference : ModelSet.None) | (request.NeedsAligned ? ModelSet.Aligned : ModelSet.None);
}

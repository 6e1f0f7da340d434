using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using DeRa.Engine.Execution;
using DeRa.Engine.Scheduling;
using DeRa.Kernels;
using DeRa.Models;
using DeRa.Tokenization;

namespace DeRa.Engine;

/// <summary>
/// Realigned generation and scoring with a pair of models: any number of callers on any threads, one batch. A thread of its own owns the device.
/// The same request gives the same result, bit for bit, whatever else runs.
/// </summary>
/// <example>
/// <code>
/// await using var engine = await RealignmentEngine.LoadAsync(new() { ReferenceFolder = "sft", AlignedFolder = "dpo" });
/// var request = new GenerationRequest { PromptTokens = engine.Text.Encode("Hello"), Lambda = 0.5f };
/// await foreach (TokenEvent token in engine.GenerateAsync(request)) Console.Write(token.Text);
/// </code>
/// </example>
public sealed class RealignmentEngine : IAsyncDisposable, IDisposable
{
    /// <summary>Name of the meter that every engine reports on.</summary>
    public const string MeterName = "DeRa.Engine";

    private readonly EngineThread thread;
    private readonly ModelPair pair;
    private readonly int cachePositions;
    private readonly EngineMetrics metrics;
    private readonly GenerationContext context;

    private RealignmentEngine(EngineThread thread, LoadedPair loaded, PairText text, IMeterFactory? meters)
    {
        this.thread = thread;
        pair = loaded.Pair;
        cachePositions = loaded.CachePositions;
        (Device, ReferenceDevice, AlignedDevice) = (pair.Devices.Head.Device, pair.Devices.Reference.Device, pair.Devices.Aligned.Device);
        Text = text;
        StopTokens = [.. pair.Reference.Config.EosIds.Union(pair.Aligned.Config.EosIds)];
        Vocabulary = pair.Vocabulary;
        metrics = new EngineMetrics(meters, () => thread.Statistics);
        context = new GenerationContext(text, metrics, pair.IsSingleModel);
    }

    /// <summary>The pair's tokenizer and chat template.</summary>
    public PairText Text { get; }

    /// <summary>What the head runs on, and both models unless they are on two devices.</summary>
    public DeviceDescription Device { get; }

    /// <summary>What the reference model runs on.</summary>
    public DeviceDescription ReferenceDevice { get; }

    /// <summary>What the aligned model runs on.</summary>
    public DeviceDescription AlignedDevice { get; }

    /// <summary>Ids that end a generation by default: the end-of-sequence ids of both models.</summary>
    public IReadOnlyList<int> StopTokens { get; }

    /// <summary>Token ids that both models know.</summary>
    public int Vocabulary { get; }

    /// <summary>What the engine is doing and has done, as of its last step.</summary>
    public EngineStatistics Statistics => thread.Statistics;

    /// <summary>What speculation has done so far.</summary>
    public SpeculationStatistics Speculation => thread.Speculation;

    /// <summary>Loads a pair onto a device.</summary>
    /// <exception cref="ArgumentException">Options that no engine can run with.</exception>
    /// <exception cref="DeRa.Checkpoints.CheckpointException">A checkpoint folder cannot be used.</exception>
    /// <exception cref="TokenizerException">A tokenizer cannot be used.</exception>
    /// <exception cref="PairMismatchException">The models do not speak of the same tokens.</exception>
    /// <exception cref="DeviceException">The device is missing or too small.</exception>
    public static async Task<RealignmentEngine> LoadAsync(EngineOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        PairText text = options.Text ?? await Task.Run(() => PairText.Load(options.ReferenceFolder, options.AlignedFolder), cancellationToken).ConfigureAwait(false);
        var thread = new EngineThread(options, text);
        thread.Start();
        try
        {
            return new RealignmentEngine(thread, await thread.Loaded.WaitAsync(cancellationToken).ConfigureAwait(false), text, options.MeterFactory);
        }
        catch
        {
            thread.Finish();
            await thread.Stopped.ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Draws tokens one after another; with several samples their events come interleaved, told apart by <see cref="TokenEvent.Sample"/>. Stopping the
    /// enumeration frees everything the request holds.
    /// </summary>
    /// <exception cref="RequestException">
    /// The request cannot be served, thrown before anything is drawn; or its λ schedule failed, thrown by the enumeration.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The engine has been disposed of.</exception>
    public IAsyncEnumerable<TokenEvent> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        Check(request);
        return Stream(request, cancellationToken);
    }

    /// <summary>Draws a whole generation of one sample.</summary>
    /// <exception cref="RequestException">The request cannot be served, asks for several samples, or its λ schedule failed.</exception>
    /// <exception cref="ObjectDisposedException">The engine has been disposed of.</exception>
    public async Task<GenerationResult> CompleteAsync(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return request.Samples == 1
            ? (await CompleteTogetherAsync([request], cancellationToken).ConfigureAwait(false))[0]
            : throw new RequestException($"samples: expected 1, found {request.Samples}; {nameof(CompleteTogetherAsync)} takes several");
    }

    /// <summary>
    /// Draws whole generations that begin in the same step, so that a prompt they have in common (at several λ, in several samples) is computed once
    /// and its tokens are drawn from one pass for as long as they are the same.
    /// </summary>
    /// <returns>Results in the order of the requests, the samples of one after another.</returns>
    /// <exception cref="RequestException">A request cannot be served, or a λ schedule failed; then none is returned.</exception>
    /// <exception cref="ObjectDisposedException">The engine has been disposed of.</exception>
    public async Task<IReadOnlyList<GenerationResult>> CompleteTogetherAsync(
        IReadOnlyList<GenerationRequest> requests, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(requests);
        cancellationToken.ThrowIfCancellationRequested();
        Accepted[] accepted = [.. requests.Select(Accept)];
        Submit([.. accepted.SelectMany(one => one.Samples)]);
        try
        {
            GenerationResult[][] results = await Task.WhenAll(accepted.Select(one => CollectAsync(one, cancellationToken))).ConfigureAwait(false);
            return [.. results.SelectMany(samples => samples)];
        }
        finally
        {
            Cancel(accepted);
        }
    }

    /// <summary>
    /// Scores a text under many λ: one forward pass of each model and one sweep over the vocabulary per position, whatever the number of λ. Texts
    /// take part in the same steps as generations; those submitted together are computed together.
    /// </summary>
    /// <returns>One score per λ, in the order given.</returns>
    /// <exception cref="RequestException">The request cannot be served.</exception>
    /// <exception cref="ObjectDisposedException">The engine has been disposed of.</exception>
    public async Task<IReadOnlyList<LambdaScore>> ScoreAsync(ScoreRequest request, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        CheckScore(request);
        var scoring = new Scoring(request, pair.IsSingleModel ? ModelSet.Reference : ModelSet.Both);
        Submit([scoring]);
        try
        {
            return await scoring.Outcome.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            thread.Cancel(scoring);
        }
    }

    /// <summary>Checks that a text can be scored, as <see cref="ScoreAsync"/> does before it computes anything.</summary>
    /// <exception cref="RequestException">The request cannot be served: the first thing that is wrong.</exception>
    public void CheckScore(ScoreRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        RequestCheck.Validate(request, pair);
        if (request.Tokens.Count - 1 > cachePositions)
        {
            throw new RequestException($"the text needs {request.Tokens.Count - 1} cache positions, the caches hold {cachePositions}");
        }
    }

    /// <summary>Checks that a request can be served, as <see cref="GenerateAsync"/> does before it draws anything.</summary>
    /// <exception cref="RequestException">The request cannot be served: the first thing that is wrong.</exception>
    public void CheckGeneration(GenerationRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        Check(request);
    }

    /// <summary>Takes no more requests, finishes those it has, then frees the device.</summary>
    public async ValueTask DisposeAsync()
    {
        thread.Finish();
        await thread.Stopped.ConfigureAwait(false);
        metrics.Dispose();
    }

    /// <summary>As <see cref="DisposeAsync"/>, waiting for it.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Checks a request against the pair and the pool, so that whatever is submitted can run to its end.</summary>
    /// <returns>Most tokens that a sample puts out.</returns>
    private int Check(GenerationRequest request)
    {
        RequestCheck.Validate(request, pair);
        int room = pair.MaxPositions is int most ? most - request.PromptTokens.Count + 1 : int.MaxValue, maxTokens = Math.Min(request.MaxTokens, room);
        long positions = (long)request.PromptTokens.Count + maxTokens - 1; // the last token put out is never fed back
        if (positions > cachePositions)
        {
            throw new RequestException(
                $"the request needs {positions} cache positions ({request.PromptTokens.Count} of the prompt and {maxTokens} to put out), " +
                $"the caches hold {cachePositions}");
        }

        return maxTokens;
    }

    private Accepted Accept(GenerationRequest request)
    {
        int maxTokens = Check(request);
        var stops = new HashSet<int>(request.StopTokens ?? StopTokens);
        var events = new EventStream(request.Samples);
        return new Accepted(
            request, events, [.. Enumerable.Range(0, request.Samples).Select(i => new Generation(request, i, maxTokens, stops, context, events))]);
    }

    private async IAsyncEnumerable<TokenEvent> Stream(GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Accepted accepted = Accept(request);
        Submit(accepted.Samples);
        try
        {
            await foreach (TokenEvent token in accepted.Events.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return token;
            }
        }
        finally
        {
            Cancel(accepted);
        }
    }

    private async Task<GenerationResult[]> CollectAsync(Accepted accepted, CancellationToken cancellationToken)
    {
        List<TokenEvent>[] events = [.. accepted.Samples.Select(_ => new List<TokenEvent>())];
        await foreach (TokenEvent token in accepted.Events.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            events[token.Sample].Add(token);
        }

        return [.. events.Select(sample => GenerationResult.Of(sample, accepted.Request.StopTexts.Count == 0 ? Text : null))];
    }

    private void Submit(IReadOnlyList<Job> jobs) => ObjectDisposedException.ThrowIf(!thread.TrySubmit(jobs), this);

    private void Cancel(params ReadOnlySpan<Accepted> all)
    {
        foreach (Accepted accepted in all)
        {
            foreach (Generation sample in accepted.Samples)
            {
                thread.Cancel(sample);
            }
        }
    }

    /// <summary>A request that can be served, and its samples.</summary>
    private sealed record Accepted(GenerationRequest Request, EventStream Events, IReadOnlyList<Generation> Samples);
}

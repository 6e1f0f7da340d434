using System.Runtime.CompilerServices;
using System.Threading.Channels;
using DeRa.Engine.Execution;
using DeRa.Engine.Scheduling;
using DeRa.Kernels;
using DeRa.Models;
using DeRa.Tokenization;

namespace DeRa.Engine;

/// <summary>
/// Realigned generation with a pair of models: any number of callers, one batch. A thread of its own owns the device; requests reach it through
/// a channel and tokens come back as they are drawn. The same request gives the same tokens whatever else runs.
/// </summary>
/// <example>
/// <code>
/// await using var engine = await RealignmentEngine.LoadAsync(new() { ReferenceFolder = "sft", AlignedFolder = "dpo" });
/// var request = new GenerationRequest { PromptTokens = engine.Text.Encode("Hello"), Lambda = 0.5f };
/// await foreach (TokenEvent token in engine.GenerateAsync(request)) Console.Write(token.Text);
/// </code>
/// </example>
public sealed class RealignmentEngine : IAsyncDisposable
{
    private readonly EngineOptions options;
    private readonly Channel<Job> submissions = Channel.CreateUnbounded<Job>(new UnboundedChannelOptions { SingleReader = true });
    private readonly TaskCompletionSource loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<Job> active = [];
    private ModelPair pair = null!; // set before `loaded` completes, as are the next two
    private Scheduler scheduler = null!;
    private StepRunner runner = null!;

    private RealignmentEngine(EngineOptions options, PairText text)
    {
        this.options = options;
        Text = text;
    }

    /// <summary>The pair's tokenizer and chat template.</summary>
    public PairText Text { get; }

    /// <summary>What the engine runs on.</summary>
    public DeviceDescription Device { get; private set; } = null!;

    /// <summary>Ids that end a generation by default: the end-of-sequence ids of both models.</summary>
    public IReadOnlyList<int> StopTokens { get; private set; } = [];

    /// <summary>Token ids that both models know.</summary>
    public int Vocabulary => pair.Vocabulary;

    /// <summary>Loads a pair onto a device.</summary>
    /// <exception cref="DeRa.Checkpoints.CheckpointException">A checkpoint folder cannot be used.</exception>
    /// <exception cref="TokenizerException">A tokenizer cannot be used.</exception>
    /// <exception cref="PairMismatchException">The models do not speak of the same tokens.</exception>
    /// <exception cref="DeviceException">The device is missing or too small.</exception>
    public static async Task<RealignmentEngine> LoadAsync(EngineOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        PairText text = options.Text ?? await Task.Run(() => PairText.Load(options.ReferenceFolder, options.AlignedFolder), cancellationToken).ConfigureAwait(false);
        var engine = new RealignmentEngine(options, text);
        new Thread(engine.Work) { IsBackground = true, Name = "DeRa engine" }.Start();
        try
        {
            await engine.loaded.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await engine.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return engine;
    }

    /// <summary>Draws tokens one after another. Stopping the enumeration frees everything the request holds.</summary>
    /// <exception cref="RequestException">The request cannot be served; thrown before anything is drawn.</exception>
    public IAsyncEnumerable<TokenEvent> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        Generation generation = Accept(request);
        return Stream(generation, cancellationToken);
    }

    /// <summary>Draws a whole generation.</summary>
    /// <exception cref="RequestException">The request cannot be served.</exception>
    public async Task<GenerationResult> CompleteAsync(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        var events = new List<TokenEvent>();
        await foreach (TokenEvent token in GenerateAsync(request, cancellationToken).ConfigureAwait(false))
        {
            events.Add(token);
        }

        int[] tokens = [.. events.Select(token => token.TokenId)];
        return new GenerationResult(
            tokens,
            request.StopTexts.Count == 0 ? Text.Decode(tokens) : string.Concat(events.Select(token => token.Text)),
            events[^1].Finish!.Value,
            events.Sum(token => (double)token.LogProb),
            events.TrueForAll(token => token.KlReference is not null) ? events.Sum(token => (double)token.KlReference!.Value) : null,
            events);
    }

    /// <summary>
    /// Scores a text under many λ: one forward pass of each model and one sweep over the vocabulary per position, whatever the number of λ. Texts
    /// take part in the same steps as generations; those submitted together are computed together.
    /// </summary>
    /// <returns>One score per λ, in the order given.</returns>
    /// <exception cref="RequestException">The request cannot be served.</exception>
    public async Task<IReadOnlyList<LambdaScore>> ScoreAsync(ScoreRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        CheckScore(request);
        var scoring = new Scoring(request);
        ObjectDisposedException.ThrowIf(!submissions.Writer.TryWrite(scoring), this);
        await using CancellationTokenRegistration registration = cancellationToken.Register(scoring.Cancel);
        return await scoring.Outcome.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Checks that a text can be scored, as <see cref="ScoreAsync"/> does before it computes anything.</summary>
    /// <exception cref="RequestException">The request cannot be served: the first thing that is wrong.</exception>
    public void CheckScore(ScoreRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        RequestCheck.Validate(request, pair);
        if (!scheduler.CanEverFit(request.Tokens.Count - 1))
        {
            throw new RequestException($"the text needs {request.Tokens.Count - 1} cache positions, the caches hold {options.CachePositions}");
        }
    }

    /// <summary>Finishes what runs, then frees the device.</summary>
    public async ValueTask DisposeAsync()
    {
        submissions.Writer.TryComplete();
        await stopped.Task.ConfigureAwait(false);
    }

    /// <summary>Checks a request against the pair and the pool, so that whatever is submitted can run to its end.</summary>
    private Generation Accept(GenerationRequest request)
    {
        RequestCheck.Validate(request, pair);
        int room = pair.MaxPositions is int most ? most - request.PromptTokens.Count + 1 : int.MaxValue;
        int maxTokens = Math.Min(request.MaxTokens, room), positions = request.PromptTokens.Count + maxTokens - 1;
        if (!scheduler.CanEverFit(positions))
        {
            throw new RequestException(
                $"the request needs {positions} cache positions ({request.PromptTokens.Count} of the prompt and {maxTokens} to put out), " +
                $"the caches hold {options.CachePositions}");
        }

        return new Generation(request, maxTokens, new HashSet<int>(request.StopTokens ?? StopTokens), Text.StreamingDecoder());
    }

    private async IAsyncEnumerable<TokenEvent> Stream(Generation generation, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(!submissions.Writer.TryWrite(generation), this);

        try
        {
            await foreach (TokenEvent token in generation.Events.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return token;
            }
        }
        finally
        {
            generation.Cancel();
        }
    }

    /// <summary>The engine's thread: everything that touches the device happens here.</summary>
    private void Work()
    {
        try
        {
            using KernelSet kernels = DeviceCatalog.Open(options.Device, options.Log);
            Device = kernels.Device;
            pair = ModelPair.Load(options.ReferenceFolder, options.AlignedFolder, kernels, options.WeightType);
            using ModelPair ownedPair = pair;
            Text.CheckVocabulary(pair.Vocabulary);
            StopTokens = [.. pair.Reference.Config.EosIds.Union(pair.Aligned.Config.EosIds)];
            var blocks = new BlockManager(KvCache.BlocksFor(options.CachePositions), KvCache.BlockSize);
            pair.Allocate(new StepCapacity(options.MaxBatchTokens, Math.Max(options.MaxSequences, options.MaxBatchTokens), blocks.NumBlocks));
            scheduler = new Scheduler(blocks, options.MaxSequences, options.MaxBatchTokens);
            runner = new StepRunner(kernels, pair);
            using StepRunner ownedRunner = runner;
            loaded.SetResult();
            Serve();
        }
        catch (Exception exception)
        {
            loaded.TrySetException(exception);
            Fail(exception);
        }
        finally
        {
            stopped.SetResult();
        }
    }

    private void Serve()
    {
        while (true)
        {
            while (submissions.Reader.TryRead(out Job? job))
            {
                active.Add(job);
                scheduler.Add(job.Sequence);
            }

            DropCancelled();
            if (scheduler.HasWork)
            {
                Step();
            }
            else if (!submissions.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                return;
            }
        }
    }

    /// <summary>One step: schedule, run, commit.</summary>
    private void Step()
    {
        RestartWhereRotationsChanged();
        List<Chunk> chunks = scheduler.Schedule();
        PrepareLambdas(chunks);
        IReadOnlyList<DrawnToken> drawn = runner.Run(chunks);
        Commit(chunks, drawn);
    }

    /// <summary>Asks schedules for the λ of what is drawn next; a schedule that fails ends its own request.</summary>
    private void PrepareLambdas(List<Chunk> chunks)
    {
        for (int i = chunks.Count - 1; i >= 0; i--)
        {
            if (chunks[i].DrawsToken && chunks[i].Sequence.Generation is { } generation)
            {
                try
                {
                    generation.PrepareLambda();
                }
                catch (RequestException exception)
                {
                    generation.Fail(exception);
                    Drop(generation);
                    chunks.RemoveAt(i);
                }
            }
        }
    }

    private void Commit(List<Chunk> chunks, IReadOnlyList<DrawnToken> drawn)
    {
        foreach (Chunk chunk in chunks)
        {
            chunk.Sequence.ComputedTokens = chunk.End;
            if (chunk.Sequence.Job is Scoring scoring && scoring.Complete())
            {
                Drop(scoring);
            }
        }

        foreach (DrawnToken token in drawn)
        {
            if (token.Generation.Commit(token.Result, token.TopTokens))
            {
                Drop(token.Generation);
            }
        }
    }

    /// <summary>
    /// Where a sequence grows into another regime of its rotary scaling (LongRoPE, dynamic NTK), the keys in its cache were rotated by other
    /// frequencies; computing it anew keeps the result that of a full recompute.
    /// </summary>
    private void RestartWhereRotationsChanged()
    {
        foreach (Sequence sequence in scheduler.Running)
        {
            (int, int) regime = (pair.Reference.RopeRegime(sequence.Tokens.Count), pair.Aligned.RopeRegime(sequence.Tokens.Count));
            if (sequence.RopeRegime != regime)
            {
                sequence.RopeRegime = regime;
                sequence.ComputedTokens = 0;
            }
        }
    }

    private void DropCancelled()
    {
        foreach (Job job in active.Where(job => job.Cancelled).ToArray())
        {
            Drop(job);
        }
    }

    private void Drop(Job job)
    {
        scheduler.Remove(job.Sequence);
        active.Remove(job);
    }

    private void Fail(Exception exception)
    {
        submissions.Writer.TryComplete();
        while (submissions.Reader.TryRead(out Job? job))
        {
            active.Add(job);
        }

        foreach (Job job in active)
        {
            job.Fail(exception);
        }
    }
}

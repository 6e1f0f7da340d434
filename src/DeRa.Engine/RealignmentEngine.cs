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
    private readonly Channel<Generation> submissions = Channel.CreateUnbounded<Generation>(new UnboundedChannelOptions { SingleReader = true });
    private readonly TaskCompletionSource loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<Sequence, Generation> active = [];
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
        int room = pair.MaxPositions is int positions ? positions - request.PromptTokens.Count + 1 : int.MaxValue;
        var sequence = new Sequence(request, Math.Min(request.MaxTokens, room));
        if (!scheduler.CanEverFit(sequence))
        {
            throw new RequestException(
                $"the request needs {sequence.MaxPositions} cache positions ({sequence.PromptLength} of the prompt and {sequence.MaxTokens} to put out), " +
                $"the caches hold {options.CachePositions}");
        }

        return new Generation(sequence, new HashSet<int>(request.StopTokens ?? StopTokens), Text.StreamingDecoder());
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
            pair.Allocate(new StepCapacity(options.MaxBatchTokens, options.MaxSequences, blocks.NumBlocks));
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
            while (submissions.Reader.TryRead(out Generation? generation))
            {
                active.Add(generation.Sequence, generation);
                scheduler.Add(generation.Sequence);
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
        IReadOnlyList<DrawnToken> drawn = runner.Run(chunks);
        Commit(chunks, drawn);
    }

    private void Commit(List<Chunk> chunks, IReadOnlyList<DrawnToken> drawn)
    {
        foreach (Chunk chunk in chunks)
        {
            chunk.Sequence.ComputedTokens = chunk.Start + chunk.Count;
        }

        foreach (DrawnToken token in drawn)
        {
            if (active[token.Sequence].Commit(token.Result, token.TopTokens))
            {
                Drop(token.Sequence);
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
        foreach (Generation generation in active.Values.Where(generation => generation.Cancelled).ToArray())
        {
            Drop(generation.Sequence);
        }
    }

    private void Drop(Sequence sequence)
    {
        scheduler.Remove(sequence);
        active.Remove(sequence);
    }

    private void Fail(Exception exception)
    {
        submissions.Writer.TryComplete();
        while (submissions.Reader.TryRead(out Generation? generation))
        {
            active.Add(generation.Sequence, generation);
        }

        foreach (Generation generation in active.Values)
        {
            generation.Fail(exception);
        }
    }
}

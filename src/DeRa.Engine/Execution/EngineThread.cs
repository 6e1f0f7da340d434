using System.Collections.Concurrent;
using System.Threading.Channels;
using DeRa.Engine.Scheduling;
using DeRa.Engine.Speculation;
using DeRa.Kernels;
using DeRa.Models;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Engine.Execution;

/// <summary>
/// The one thread that touches the device: loads the pair, then takes steps while there is work. Jobs reach it through a channel, as many at a
/// time as are to begin in the same step.
/// </summary>
internal sealed class EngineThread(EngineOptions options, PairText text)
{
    private readonly Channel<IReadOnlyList<Job>> submissions = Channel.CreateUnbounded<IReadOnlyList<Job>>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentQueue<Job> cancellations = new();
    private readonly TaskCompletionSource<LoadedPair> loaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<Job> active = [];
    private readonly List<Job> unpublished = []; // what the step gave something to
    private readonly ILogger log = options.LoggerFactory?.CreateLogger<RealignmentEngine>() ?? NullLogger<RealignmentEngine>.Instance;
    private BlockManager blocks = null!; // these three from loading on
    private Scheduler scheduler = null!;
    private StepRunner runner = null!;
    private Speculator? speculator;
    private readonly SpeculationGauge gauge = new();
    private long steps, generated, scored;
    private volatile EngineStatistics statistics = new();

    /// <summary>What was loaded, or why it was not.</summary>
    public Task<LoadedPair> Loaded => loaded.Task;

    /// <summary>Completes when the device is free.</summary>
    public Task Stopped => stopped.Task;

    /// <summary>As of the last step.</summary>
    public EngineStatistics Statistics => statistics;

    /// <summary>What speculation has done so far.</summary>
    public SpeculationStatistics Speculation => gauge.Statistics;

    public void Start() => new Thread(Work) { IsBackground = true, Name = "DeRa engine" }.Start();

    /// <summary>Hands jobs over; false once <see cref="Finish"/> was called.</summary>
    public bool TrySubmit(IReadOnlyList<Job> jobs) => submissions.Writer.TryWrite(jobs);

    /// <summary>Drops a job before the next step; nothing happens where it has ended.</summary>
    public void Cancel(Job job)
    {
        job.Abandon(); // seen where the job has not been taken yet
        cancellations.Enqueue(job);
    }

    /// <summary>Takes no more jobs, and ends after those it has.</summary>
    public void Finish() => submissions.Writer.TryComplete();

    private void Work()
    {
        try
        {
            using PairDevices devices = options.OpenDevices?.Invoke()
                ?? PairDevices.Open(options.ReferenceDevice ?? options.Device, options.AlignedDevice ?? options.Device, ReportDevice, options.CaptureSteps);
            KernelSet kernels = devices.Head;
            StepCapacity capacity = default;
            using ModelPair pair = ModelPair.Load(
                options.ReferenceFolder, options.AlignedFolder, devices, options.WeightType, memory => capacity = CacheSize.Plan(options, memory));
            foreach (string note in pair.Notes)
            {
                options.Log?.Invoke(note);
                log.Noted(note);
            }

            text.CheckVocabulary(pair.Vocabulary);
            blocks = new BlockManager(capacity.CacheBlocks, KvCache.BlockSize, options.PrefixCache);
            pair.Allocate(capacity);
            scheduler = new Scheduler(
                blocks, options.MaxSequences, options.MaxBatchTokens, length => (pair.Reference.RopeRegime(length), pair.Aligned.RopeRegime(length)));
            using var ownedRunner = new StepRunner(kernels, pair);
            runner = ownedRunner;
            using Speculator? ownedSpeculator = options.Speculation.Mode == SpeculationMode.Off || pair.IsSingleModel
                ? null
                : new Speculator(kernels, pair, scheduler, options.Speculation, gauge);
            speculator = ownedSpeculator;
            Report();
            log.Loaded(
                options.ReferenceFolder, options.AlignedFolder, string.Join(" and ", devices.Sets.Select(set => set.Device.Id)), blocks.NumBlocks, blocks.BlockSize, options.MaxSequences, options.MaxBatchTokens);
            loaded.SetResult(new LoadedPair(pair, blocks.NumBlocks * blocks.BlockSize));
            Serve();
            log.Finished(steps, generated, scored);
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
            while (submissions.Reader.TryRead(out IReadOnlyList<Job>? jobs))
            {
                Take(jobs);
            }

            DropCancelled();
            if (scheduler.HasWork)
            {
                Step();
            }

            Report();
            Publish();
            if (!scheduler.HasWork && !submissions.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
            {
                return;
            }
        }
    }

    private void Take(IReadOnlyList<Job> jobs)
    {
        foreach (Job job in jobs)
        {
            if (!job.IsAbandoned && (job is not Generation generation || generation.TryPrepareLambda()))
            {
                active.Add(job);
                scheduler.Add(job);
            }
        }
    }

    /// <summary>One step: schedule, run, commit.</summary>
    private void Step()
    {
        long preempted = scheduler.Counters.Preemptions;
        StepPlan plan = scheduler.Schedule();
        if (scheduler.Counters.Preemptions > preempted)
        {
            log.Preempted(scheduler.Counters.Preemptions - preempted, scheduler.RunningJobs, scheduler.WaitingJobs);
        }

        if (speculator?.TryRun(plan) is { } drafted)
        {
            CommitDrafted(drafted);
        }
        else
        {
            Commit(plan, runner.Run(plan));
        }

        steps++;
    }

    private void Commit(StepPlan plan, IReadOnlyList<DrawnToken> drawn)
    {
        foreach (DrawnToken token in drawn)
        {
            token.Generation.Commit(token.Result, token.TopTokens);
            Committed(token.Generation);
        }

        generated += drawn.Count;
        foreach (Chunk chunk in plan.Chunks)
        {
            scored += chunk.Sequence.IsScored ? chunk.Outputs : 0;
            bool advances = chunk.DrawsToken || chunk.Sequence.IsScored;
            scheduler.Complete(chunk);
            foreach (Scoring scoring in chunk.Sequence.Jobs.OfType<Scoring>())
            {
                scoring.EndWhenFilled();
                Committed(scoring);
            }

            if (advances)
            {
                scheduler.Advance(chunk.Sequence);
            }
        }
    }

    /// <summary>Tokens of a speculative step: none, one or several of a sequence, each as if a step had computed the token before it.</summary>
    private void CommitDrafted(IReadOnlyList<DrawnToken> drawn)
    {
        foreach (DrawnToken token in drawn.Where(token => !token.Generation.Ended))
        {
            Sequence sequence = token.Generation.Sequence;
            int end = sequence.Tokens.Count;
            token.Generation.Commit(token.Result, token.TopTokens);
            Committed(token.Generation);
            generated++;
            scheduler.Complete(new Chunk(sequence, end - 1, end - 1, end));
            scheduler.Advance(sequence);
        }
    }

    private void Committed(Job job)
    {
        unpublished.Add(job);
        if (job.Ended)
        {
            active.Remove(job);
        }
    }

    private void Publish()
    {
        if (unpublished.Count == 0)
        {
            return;
        }

        foreach (Job job in unpublished)
        {
            job.Publish();
        }

        unpublished.Clear();
        Thread.Yield(); // callers get a core before the next step, not when this thread's time slice ends
    }

    private void DropCancelled()
    {
        while (cancellations.TryDequeue(out Job? job))
        {
            if (active.Remove(job))
            {
                scheduler.Remove(job);
            }
        }
    }

    private void Fail(Exception exception)
    {
        submissions.Writer.TryComplete();
        while (submissions.Reader.TryRead(out IReadOnlyList<Job>? jobs))
        {
            active.UnionWith(jobs);
        }

        if (active.Count > 0)
        {
            log.Stopped(exception, active.Count);
        }

        foreach (Job job in active)
        {
            job.Fail(exception);
        }

        unpublished.AddRange(active);
        Publish();
    }

    private void ReportDevice(string choice)
    {
        options.Log?.Invoke(choice);
        log.DeviceChosen(choice);
    }

    private void Report() => statistics = new EngineStatistics
    {
        Running = scheduler.RunningJobs,
        Waiting = scheduler.WaitingJobs,
        Blocks = blocks.NumBlocks,
        BlockSize = blocks.BlockSize,
        BlocksInUse = blocks.UsedBlocks,
        BlocksRemembered = blocks.RememberedBlocks,
        Steps = steps,
        GeneratedTokens = generated,
        ScoredTokens = scored,
        ReferencePrefillTokens = scheduler.Counters.ReferencePrefillTokens,
        AlignedPrefillTokens = scheduler.Counters.AlignedPrefillTokens,
        DecodeTokens = scheduler.Counters.DecodeTokens,
        PrefixHitTokens = scheduler.Counters.PrefixHitTokens,
        Preemptions = scheduler.Counters.Preemptions,
        Forks = scheduler.Counters.Forks,
        Speculation = gauge.Statistics,
    };
}

/// <summary>What the thread has loaded; read-only facts for other threads.</summary>
/// <param name="Pair">Its shapes and limits; its caches belong to the engine's thread.</param>
/// <param name="CachePositions">Positions that each pool holds.</param>
internal sealed record LoadedPair(ModelPair Pair, int CachePositions);

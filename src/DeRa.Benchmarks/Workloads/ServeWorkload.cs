using System.Diagnostics;
using DeRa.Engine;

namespace DeRa.Benchmarks;

/// <summary>
/// An engine under load: requests of mixed λ and lengths, kept open in a number or arriving as a Poisson process. The same requests in every case,
/// and the same arrivals for a rate.
/// </summary>
public static class ServeWorkload
{
    /// <summary>Loads the pair and serves each case; one untimed request comes first, so that code and weights are warm.</summary>
    /// <param name="devices">As for an engine.</param>
    /// <param name="folders">The pair.</param>
    /// <param name="options">What is sent.</param>
    /// <param name="weightType">Storage of the weights; null keeps the checkpoint's.</param>
    /// <param name="cancellationToken">Ends the requests that are open.</param>
    public static async IAsyncEnumerable<ServeMeasurement> RunAsync(
        DeviceNames devices, PairFolders folders, ServeOptions options, Kernels.DType? weightType,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(devices);
        ArgumentNullException.ThrowIfNull(folders);
        ArgumentNullException.ThrowIfNull(options);
        var engineOptions = new EngineOptions
        {
            ReferenceFolder = folders.Reference,
            AlignedFolder = folders.Aligned,
            ReferenceDevice = devices.Reference,
            AlignedDevice = devices.Aligned,
            CaptureSteps = devices.CaptureSteps,
            WeightType = weightType,
        };
        IEnumerable<(int? Concurrency, double? Rate)> cases =
            [.. options.Concurrency.Select(open => ((int?)open, (double?)null)), .. options.Rates.Select(rate => ((int?)null, (double?)rate))];
        foreach ((int? concurrency, double? rate) in cases)
        {
            // An engine per case: nothing computed in one is found again in the next.
            await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(engineOptions, cancellationToken).ConfigureAwait(false);
            GenerationRequest[] requests = Requests(options, engine.Vocabulary);
            foreach (float lambda in options.Lambdas.Distinct())
            {
                await engine.CompleteAsync(new GenerationRequest { PromptTokens = [0], Lambda = lambda, MaxTokens = 2, StopTokens = [] }, cancellationToken).ConfigureAwait(false);
            }

            EngineStatistics before = engine.Statistics;
            long started = Stopwatch.GetTimestamp();
            Served[] served = concurrency is int open
                ? await KeepOpenAsync(engine, requests, open, cancellationToken).ConfigureAwait(false)
                : await ArriveAsync(engine, requests, rate!.Value, cancellationToken).ConfigureAwait(false);
            double seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            EngineStatistics after = engine.Statistics;
            yield return new ServeMeasurement
            {
                Device = devices.Id,
                Model = folders.Name,
                Concurrency = concurrency,
                Rate = rate,
                Requests = requests.Length,
                PromptTokens = requests.Sum(request => (long)request.PromptTokens.Count),
                GeneratedTokens = served.Sum(one => (long)one.Tokens),
                Seconds = seconds,
                TimeToFirstToken = Percentiles.Of(served.Select(one => one.First)),
                TimePerOutputToken = Percentiles.Of(served.Select(one => (one.Last - one.First) / (one.Tokens - 1))),
                Latency = Percentiles.Of(served.Select(one => one.Last)),
                Steps = after.Steps - before.Steps,
                PrefixHitTokens = after.PrefixHitTokens - before.PrefixHitTokens,
                Preemptions = after.Preemptions - before.Preemptions,
            };
        }
    }

    private static async Task<Served[]> KeepOpenAsync(RealignmentEngine engine, GenerationRequest[] requests, int open, CancellationToken cancellationToken)
    {
        var served = new Served[requests.Length];
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, open).Select(async _ =>
        {
            for (int i = Interlocked.Increment(ref next); i < requests.Length; i = Interlocked.Increment(ref next))
            {
                served[i] = await ServeAsync(engine, requests[i], cancellationToken).ConfigureAwait(false);
            }
        })).ConfigureAwait(false);
        return served;
    }

    private static async Task<Served[]> ArriveAsync(RealignmentEngine engine, GenerationRequest[] requests, double rate, CancellationToken cancellationToken)
    {
        var random = new Random(1);
        long started = Stopwatch.GetTimestamp();
        double arrival = 0;
        var running = new List<Task<Served>>();
        foreach (GenerationRequest request in requests)
        {
            arrival -= Math.Log(1 - random.NextDouble()) / rate; // waiting times of a Poisson process are exponential
            double wait = arrival - Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (wait > 0)
            {
                await Task.Delay(TimeSpan.FromSeconds(wait), cancellationToken).ConfigureAwait(false);
            }

            running.Add(ServeAsync(engine, request, cancellationToken));
        }

        return await Task.WhenAll(running).ConfigureAwait(false);
    }

    private static async Task<Served> ServeAsync(RealignmentEngine engine, GenerationRequest request, CancellationToken cancellationToken)
    {
        long arrived = Stopwatch.GetTimestamp();
        double first = 0, last = 0;
        int tokens = 0;
        await foreach (TokenEvent _ in engine.GenerateAsync(request, cancellationToken).ConfigureAwait(false))
        {
            last = Stopwatch.GetElapsedTime(arrived).TotalSeconds;
            first = tokens++ == 0 ? last : first;
        }

        return new Served(tokens, first, last);
    }

    private static GenerationRequest[] Requests(ServeOptions options, int vocabulary)
    {
        var random = new Random(2);
        return
        [
            .. Enumerable.Range(0, options.Requests).Select(i => new GenerationRequest
            {
                PromptTokens = [.. Enumerable.Range(0, random.Next(ServeOptions.Shortest, options.LongestPrompt + 1)).Select(_ => random.Next(vocabulary))],
                Lambda = options.Lambdas[i % options.Lambdas.Count],
                MaxTokens = random.Next(ServeOptions.Shortest, options.LongestOutput + 1),
                StopTokens = [],
                Sampling = new SamplingOptions { Seed = (ulong)i, TopP = options.TopP },
            }),
        ];
    }

    /// <summary>One request: tokens put out, seconds to the first and to the last.</summary>
    private readonly record struct Served(int Tokens, double First, double Last);
}

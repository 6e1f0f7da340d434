using System.Diagnostics;
using System.Runtime.CompilerServices;
using DeRa.Engine;

namespace DeRa.Benchmarks;

/// <summary>
/// Decoding with drafts beside plain decoding: the same requests through an engine of each kind, in turns, every other turn in the opposite order. A run
/// is timed from its requests to their last tokens, their short prompts included.
/// </summary>
public static class SpeculateWorkload
{
    private const int PromptTokens = 4;

    /// <summary>Loads the pair once per way and runs each case; one untimed run comes first.</summary>
    /// <param name="devices">As for an engine.</param>
    /// <param name="folders">The pair.</param>
    /// <param name="options">What is run.</param>
    /// <param name="cancellationToken">Ends the requests that are open.</param>
    public static async IAsyncEnumerable<IReadOnlyList<SpeculateMeasurement>> RunAsync(
        DeviceNames devices, PairFolders folders, SpeculateOptions options, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(devices);
        ArgumentNullException.ThrowIfNull(folders);
        ArgumentNullException.ThrowIfNull(options);
        foreach (int batch in options.Batches)
        {
            (string Mode, SpeculationOptions Speculation)[] ways =
            [
                ("plain", new()),
                ("coupled", new() { Mode = SpeculationMode.Alternating, MaxSequences = batch, MinAcceptance = 0 }),
                ("ratio", new() { Mode = SpeculationMode.Alternating, Rule = SpeculationRule.Ratio, MaxSequences = batch, MinAcceptance = 0 }),
            ];
            var engines = new List<RealignmentEngine>();
            try
            {
                foreach ((_, SpeculationOptions speculation) in ways)
                {
                    engines.Add(await RealignmentEngine.LoadAsync(
                        new EngineOptions
                        {
                            ReferenceFolder = folders.Reference,
                            AlignedFolder = folders.Aligned,
                            ReferenceDevice = devices.Reference,
                            AlignedDevice = devices.Aligned,
                            CaptureSteps = devices.CaptureSteps,
                            WeightType = options.WeightType,
                            CachePositions = batch * (PromptTokens + options.Tokens + 32),
                            Speculation = speculation,
                        },
                        cancellationToken).ConfigureAwait(false));
                }

                double[][] seconds = await MeasureAsync(engines, batch, options, cancellationToken).ConfigureAwait(false);
                yield return [.. ways.Select((way, i) => Of(way.Mode, engines[i].Speculation, seconds[i], seconds[0]))];
            }
            finally
            {
                foreach (RealignmentEngine engine in engines)
                {
                    await engine.DisposeAsync().ConfigureAwait(false);
                }
            }

            SpeculateMeasurement Of(string mode, SpeculationStatistics statistics, double[] times, double[] plain) => new()
            {
                Device = devices.Id,
                Model = folders.Name,
                Batch = batch,
                Mode = mode,
                Tokens = batch * options.Tokens,
                Repeats = options.Repeats,
                MedianSeconds = Median(times),
                MinSeconds = times.Min(),
                MaxSeconds = times.Max(),
                Acceptance = statistics.Drafted > 0 ? statistics.Acceptance : null,
                PassesPerToken = statistics.Tokens > 0 ? statistics.PassesPerToken : 2,
                Speedup = Median(plain) / Median(times),
            };
        }
    }

    private static async Task<double[][]> MeasureAsync(
        List<RealignmentEngine> engines, int batch, SpeculateOptions options, CancellationToken cancellationToken)
    {
        double[][] seconds = [.. engines.Select(_ => new double[options.Repeats])];
        foreach (RealignmentEngine engine in engines)
        {
            await RunAsync(engine, batch, options, 0, cancellationToken).ConfigureAwait(false);
        }

        for (int repeat = 0; repeat < options.Repeats; repeat++)
        {
            for (int turn = 0; turn < engines.Count; turn++)
            {
                int i = repeat % 2 == 0 ? turn : engines.Count - 1 - turn;
                long started = Stopwatch.GetTimestamp();
                await RunAsync(engines[i], batch, options, repeat + 1, cancellationToken).ConfigureAwait(false);
                seconds[i][repeat] = Stopwatch.GetElapsedTime(started).TotalSeconds;
            }
        }

        return seconds;
    }

    private static Task<GenerationResult[]> RunAsync(RealignmentEngine engine, int batch, SpeculateOptions options, int run, CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, batch).Select(i => engine.CompleteAsync(
            new GenerationRequest
            {
                // Prompts that share no first token share no prefix, so every run computes its own.
                PromptTokens = [.. Enumerable.Range(0, PromptTokens).Select(k => ((((run * batch) + i) * 7919) + (k * 104_729)) % engine.Vocabulary)],
                Lambda = options.Lambda,
                MaxTokens = options.Tokens,
                StopTokens = [],
                Sampling = new SamplingOptions { Seed = (ulong)((run * batch) + i) },
            },
            cancellationToken)));

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

using System.Diagnostics;
using System.Globalization;

namespace DeRa.Engine.Tests;

/// <summary>Ten minutes of 64 streams; on demand. DERA_SOAK_SECONDS shortens it.</summary>
[Explicit("takes ten minutes")]
[Category("Acceptance")]
public sealed class SoakTests
{
    private const int Streams = 64;

    [Test]
    public async Task Sixty_four_streams_for_ten_minutes_lose_nothing_and_keep_no_memory()
    {
        TimeSpan duration = TimeSpan.FromSeconds(
            Environment.GetEnvironmentVariable("DERA_SOAK_SECONDS") is { } seconds ? double.Parse(seconds, CultureInfo.InvariantCulture) : 600);
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic") with { CachePositions = 4096 });
        using var end = new CancellationTokenSource(duration);
        var finished = new long[Streams];
        var longest = new double[Streams];
        Task[] streams = [.. Enumerable.Range(0, Streams).Select(i => Task.Run(() => StreamAsync(engine, i, finished, longest, end.Token)))];
        var memory = new List<long>();
        while (!end.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromSeconds(Math.Max(1, duration.TotalSeconds / 60)));
            GC.Collect();
            memory.Add(Process.GetCurrentProcess().WorkingSet64);
        }

        await Task.WhenAll(streams).WaitAsync(TimeSpan.FromMinutes(2)); // a stuck request fails here
        EngineStatistics statistics = await Idle.StatisticsAsync(engine);
        double early = memory.Skip(memory.Count / 4).Take(memory.Count / 4).Average(), late = memory.TakeLast(memory.Count / 4).Average();
        TestContext.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{duration.TotalSeconds:0} s: {finished.Sum()} requests, fewest {finished.Min()} and most {finished.Max()} a stream, longest {longest.Max():0.00} s; "
            + $"working set {early / 1e6:0.0} MB in the second quarter, {late / 1e6:0.0} MB in the last; {statistics}"));
        Assert.That(finished, Is.All.GreaterThan(0));
        Assert.That(late, Is.LessThan(early * 1.05), "memory grows");
    }

    private static async Task StreamAsync(RealignmentEngine engine, int stream, long[] finished, double[] longest, CancellationToken end)
    {
        var random = new Random(stream);
        float[] lambdas = [0, 0.3f, 1, 1.7f];
        while (!end.IsCancellationRequested)
        {
            var request = new GenerationRequest
            {
                PromptTokens = [.. Enumerable.Range(0, random.Next(1, 120)).Select(_ => random.Next(320))],
                Lambda = lambdas[random.Next(lambdas.Length)],
                MaxTokens = random.Next(1, 60),
                StopTokens = [],
                Statistics = random.Next(4) == 0,
                Sampling = new SamplingOptions { Seed = (ulong)random.Next(), TopP = 0.95f },
            };
            int most = random.Next(5) == 0 ? random.Next(1, 10) : int.MaxValue, seen = 0;
            long started = Stopwatch.GetTimestamp();
            await foreach (TokenEvent _ in engine.GenerateAsync(request, CancellationToken.None))
            {
                if (++seen == most)
                {
                    break;
                }
            }

            Assert.That(seen, Is.EqualTo(Math.Min(most, request.MaxTokens)));
            longest[stream] = Math.Max(longest[stream], Stopwatch.GetElapsedTime(started).TotalSeconds);
            finished[stream]++;
        }
    }
}

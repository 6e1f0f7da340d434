namespace DeRa.Engine.Tests;

/// <summary>
/// A service's day in short: prompts of 1 to 400 tokens, some that begin alike, every kind of λ and sampling, arriving in random order, 30 % of
/// them cancelled at random points. What finishes is what it is alone, bit for bit, and everything taken is given back.
/// </summary>
public sealed class WorkloadTests
{
    private const int MaxSequences = 64;

    [TestCase("cpu", 80)]
    [TestCase("opencl", 16)]
    [TestCase("cpu", 1000, Explicit = true, Category = "Acceptance")]
    [TestCase("opencl", 1000, Explicit = true, Category = "Acceptance")]
    public async Task Whatever_the_load_a_request_gets_what_it_gets_alone(string device, int count)
    {
        Pairs.Require(device);
        EngineOptions options = Pairs.Golden("llama_basic", device);
        Arrival[] arrivals = Workload(count);
        GenerationResult[] alone = await AloneAsync(options with { CachePositions = 2048 }, arrivals);

        // What 64 of the largest requests need together, and a tenth of it.
        int demand = arrivals.Select(one => one.Request.PromptTokens.Count + one.Request.MaxTokens).OrderDescending().Take(MaxSequences).Sum();
        EngineStatistics roomy = await CrowdAsync(options with { CachePositions = demand, MaxBatchTokens = 512 }, arrivals, alone);
        EngineStatistics tight = await CrowdAsync(options with { CachePositions = Math.Max(528, demand / 10), MaxBatchTokens = 100 }, arrivals, alone);
        TestContext.Out.WriteLine($"{device}, {count} requests; demand {demand} positions\nroomy: {roomy}\ntight: {tight}");
        Assert.That(roomy.PrefixHitTokens, Is.GreaterThan(0));
    }

    private static async Task<GenerationResult[]> AloneAsync(EngineOptions options, Arrival[] arrivals)
    {
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(options with { PrefixCache = false });
        var results = new GenerationResult[arrivals.Length];
        for (int i = 0; i < arrivals.Length; i++)
        {
            results[i] = await engine.CompleteAsync(arrivals[i].Request);
        }

        return results;
    }

    private static async Task<EngineStatistics> CrowdAsync(EngineOptions options, Arrival[] arrivals, GenerationResult[] alone)
    {
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(options with { MaxSequences = MaxSequences });
        var order = Enumerable.Range(0, arrivals.Length).ToArray();
        new Random(7).Shuffle(order);
        var running = new List<Task>();
        foreach (int[] wave in order.Chunk(40))
        {
            running.AddRange(wave.Select(i => ServeAsync(engine, arrivals[i], alone[i], i)));
            await Task.Yield();
        }

        await Task.WhenAll(running);
        return await Idle.StatisticsAsync(engine);
    }

    private static async Task ServeAsync(RealignmentEngine engine, Arrival arrival, GenerationResult expected, int index)
    {
        using var source = new CancellationTokenSource();
        if (arrival.CancelAfter == 0)
        {
            _ = Task.Run(source.CancelAsync); // anywhere: before it is submitted, while it waits, in its prompt
        }

        var events = new List<TokenEvent>();
        try
        {
            await foreach (TokenEvent token in engine.GenerateAsync(arrival.Request, source.Token))
            {
                events.Add(token);
                if (events.Count == arrival.CancelAfter)
                {
                    await source.CancelAsync();
                }
            }
        }
        catch (OperationCanceledException) when (source.IsCancellationRequested)
        {
        }

        string what = $"request {index}, λ = {arrival.Request.Lambda}, {arrival.Request.PromptTokens.Count} tokens";
        bool whole = events.Count > 0 && events[^1].Finish is not null;
        Assert.That(whole || arrival.CancelAfter is not null, Is.True, what);
        Assert.That(EventBits.Of(events), Is.EqualTo(EventBits.Of(expected.Events.Take(whole ? int.MaxValue : events.Count))), what);
    }

    private static Arrival[] Workload(int count)
    {
        var random = new Random(2025);
        float[] lambdas = [0, 0.3f, 1, 1.7f];
        int[][] beginnings = [.. Enumerable.Range(0, 4).Select(i => Tokens(random, 37 * (i + 1)))];
        return
        [
            .. Enumerable.Range(0, count).Select(i =>
            {
                int length = random.Next(1, 401);
                int[] beginning = random.Next(3) == 0 ? beginnings[random.Next(beginnings.Length)] : [];
                int[] prompt = [.. beginning.Take(length), .. Tokens(random, Math.Max(0, length - beginning.Length))];
                LambdaSchedule lambda = i % 9 == 8 ? LambdaSchedule.Linear(0, 1.7f, over: 6) : i % 11 == 10 ? LambdaSchedule.Callback(at => at.KlReference > 1 ? 0 : 1.7f) : lambdas[i % lambdas.Length];
                return new Arrival(
                    new GenerationRequest
                    {
                        PromptTokens = prompt,
                        Lambda = lambda,
                        MaxTokens = random.Next(1, 121), // up to eight blocks, where admission leaves room for one
                        Statistics = random.Next(4) == 0,
                        TopTokens = i % 7 == 0 ? 3 : 0,
                        Sampling = Sampling(i),
                    },
                    random.Next(10) < 3 ? random.Next(0, 20) : null);
            }),
        ];
    }

    private static SamplingOptions Sampling(int i) => (i % 5) switch
    {
        0 => SamplingOptions.Greedy,
        1 => new SamplingOptions { Seed = (ulong)i },
        2 => new SamplingOptions { Seed = (ulong)i, Temperature = 1.5f, TopP = 0.8f, TopK = 40, MinP = 0.01f },
        3 => new SamplingOptions { Seed = 5, Coupled = true },
        _ => new SamplingOptions { Seed = (ulong)i, RepetitionPenalty = 1.3f, PresencePenalty = 0.5f, FrequencyPenalty = 0.2f, LogitBias = new Dictionary<int, float> { [3] = 2 } },
    };

    private static int[] Tokens(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(320))];

    /// <param name="Request">What is asked for.</param>
    /// <param name="CancelAfter">Events after which the caller cancels, 0 right away; null reads to the end.</param>
    private sealed record Arrival(GenerationRequest Request, int? CancelAfter);
}

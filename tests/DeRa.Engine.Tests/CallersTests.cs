namespace DeRa.Engine.Tests;

/// <summary>Thousands of callers at once.</summary>
public sealed class CallersTests
{
    [Test]
    public async Task Two_thousand_callers_at_once_all_get_theirs()
    {
        const int Callers = 2000, Kinds = 200;
        GenerationRequest[] requests = Requests(Kinds);
        var alone = new GenerationResult[Kinds];
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic") with { CachePositions = 1024 });
        for (int i = 0; i < Kinds; i++)
        {
            alone[i] = await engine.CompleteAsync(requests[i]);
        }

        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<IReadOnlyList<TokenEvent>>[] callers =
        [
            .. Enumerable.Range(0, Callers).Select(i => Task.Run(async () =>
            {
                await start.Task;
                GenerationRequest request = requests[i % Kinds];
                return i % 2 == 0 ? (await engine.CompleteAsync(request)).Events : await StreamAsync(engine, request);
            })),
        ];
        start.SetResult();
        IReadOnlyList<TokenEvent>[] all = await Task.WhenAll(callers).WaitAsync(TimeSpan.FromMinutes(3));
        EngineStatistics statistics = await Idle.StatisticsAsync(engine);
        TestContext.Out.WriteLine(statistics);
        for (int i = 0; i < Callers; i++)
        {
            Assert.That(EventBits.Of(all[i]), Is.EqualTo(EventBits.Of(alone[i % Kinds].Events)), $"caller {i}");
        }
    }

    private static async Task<IReadOnlyList<TokenEvent>> StreamAsync(RealignmentEngine engine, GenerationRequest request)
    {
        var events = new List<TokenEvent>();
        await foreach (TokenEvent token in engine.GenerateAsync(request))
        {
            events.Add(token);
        }

        return events;
    }

    private static GenerationRequest[] Requests(int count)
    {
        var random = new Random(17);
        float[] lambdas = [0, 0.3f, 1, 1.7f];
        return
        [
            .. Enumerable.Range(0, count).Select(i => new GenerationRequest
            {
                PromptTokens = [.. Enumerable.Range(0, random.Next(1, 20)).Select(_ => random.Next(320))],
                Lambda = lambdas[i % lambdas.Length],
                MaxTokens = random.Next(1, 5),
                Sampling = new SamplingOptions { Seed = (ulong)i },
            }),
        ];
    }
}

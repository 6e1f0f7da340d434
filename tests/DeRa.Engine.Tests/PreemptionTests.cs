namespace DeRa.Engine.Tests;

/// <summary>
/// Short prompts with long outputs, in a pool that holds a part of what they come to need: the beginnings of several run together, their ends do
/// not fit. Who arrived last gives way, waits, is computed again, and puts out what it does alone, bit for bit.
/// </summary>
public sealed class PreemptionTests
{
    private static readonly SpeculationOptions Drafting = new() { Mode = SpeculationMode.Alternating, MaxSequences = 64, MinAcceptance = 0 };

    /// <param name="device">Where.</param>
    /// <param name="count">Requests, submitted together.</param>
    /// <param name="maxTokens">Tokens that each puts out.</param>
    /// <param name="share">The pool is one part in this many of what they need together at their ends.</param>
    /// <param name="prefixCache">Whether what was given back may be found again.</param>
    /// <param name="speculates">Whether the models draft for each other.</param>
    [TestCase("cpu", 24, 97, 10, true, false)]
    [TestCase("cpu", 24, 97, 10, false, false)]
    [TestCase("cpu", 24, 97, 10, false, true)]
    [TestCase("opencl", 6, 20, 4, false, false)]
    public async Task What_gave_its_blocks_back_goes_on_where_it_was(
        string device, int count, int maxTokens, int share, bool prefixCache, bool speculates)
    {
        Pairs.Require(device);
        EngineOptions options = Pairs.Golden("llama_basic", device);
        GenerationRequest[] requests = Requests(count, maxTokens);
        var alone = new GenerationResult[count];
        int blockSize;
        await using (RealignmentEngine engine = await RealignmentEngine.LoadAsync(options))
        {
            for (int i = 0; i < count; i++)
            {
                alone[i] = await engine.CompleteAsync(requests[i]);
            }

            blockSize = engine.Statistics.BlockSize;
        }

        int[] blocks = [.. requests.Select(request => (request.PromptTokens.Count + maxTokens - 2 + blockSize) / blockSize)];
        int pool = blocks.Sum() / share;
        Assert.That(pool, Is.GreaterThanOrEqualTo(blocks.Max()), "the pool has to hold each alone");
        await using RealignmentEngine tight = await RealignmentEngine.LoadAsync(options with
        {
            CachePositions = pool * blockSize,
            PrefixCache = prefixCache,
            Speculation = speculates ? Drafting : new SpeculationOptions(),
        });
        IReadOnlyList<GenerationResult> together = await tight.CompleteTogetherAsync(requests);
        EngineStatistics statistics = await Idle.StatisticsAsync(tight);
        TestContext.Out.WriteLine($"{blocks.Sum()} blocks needed; {statistics}");
        for (int i = 0; i < count; i++)
        {
            Assert.That(together[i].Tokens, Has.Count.EqualTo(maxTokens));
            Assert.That(EventBits.Of(together[i].Events), Is.EqualTo(EventBits.Of(alone[i].Events)), $"request {i}, λ = {requests[i].Lambda}");
        }

        long prompts = requests.Where(request => request.NeedsReference).Sum(request => (long)request.PromptTokens.Count);
        Assert.That(statistics.Blocks, Is.EqualTo(pool));
        Assert.That(statistics.Preemptions, Is.GreaterThan(0));
        Assert.That(statistics.ReferencePrefillTokens, Is.GreaterThan(prompts), "output that was computed before is computed again");
    }

    private static GenerationRequest[] Requests(int count, int maxTokens)
    {
        var random = new Random(41);
        float[] lambdas = [0, 0.3f, 1, 1.7f];
        return
        [
            .. Enumerable.Range(0, count).Select(i => new GenerationRequest
            {
                PromptTokens = [.. Enumerable.Range(0, random.Next(1, 9)).Select(_ => random.Next(320))],
                Lambda = lambdas[i % lambdas.Length],
                MaxTokens = maxTokens,
                StopTokens = [],
                Statistics = i % 5 == 0,
                Sampling = (i % 3) switch
                {
                    0 => SamplingOptions.Greedy,
                    1 => new SamplingOptions { Seed = (ulong)i, TopP = 0.9f },

                    // What was put out before counts, so a resumed one has to remember it.
                    _ => new SamplingOptions { Seed = (ulong)i, RepetitionPenalty = 1.3f, FrequencyPenalty = 0.2f },
                },
            }),
        ];
    }
}

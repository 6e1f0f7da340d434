namespace DeRa.Engine.Tests;

/// <summary>Same request, same bits: alone, in a crowd, in any order, in any chunks.</summary>
public sealed class ReproducibilityTests
{
    private static readonly float[] Lambdas = [0, 0.3f, 1, 1.7f];

    [TestCase("cpu")]
    [TestCase("opencl")]
    public async Task A_request_gives_the_same_bits_alone_and_in_any_crowd(string device)
    {
        Pairs.Require(device);
        GenerationRequest[] requests = Requests(device == "cpu" ? 40 : 16);
        var alone = new GenerationResult[requests.Length];
        await using (RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic", device)))
        {
            for (int i = 0; i < requests.Length; i++)
            {
                alone[i] = await engine.CompleteAsync(requests[i]);
            }
        }

        foreach ((int seed, int budget, int sequences) in new[] { (1, 512, 64), (2, 7, 5), (3, 33, 11) })
        {
            EngineOptions options = Pairs.Golden("llama_basic", device) with { MaxBatchTokens = budget, MaxSequences = sequences, CachePositions = 1024 };
            await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(options);
            int[] order = [.. Enumerable.Range(0, requests.Length)];
            new Random(seed).Shuffle(order);
            var crowd = new Task<GenerationResult>[requests.Length];
            foreach (int index in order)
            {
                crowd[index] = engine.CompleteAsync(requests[index]);
            }

            GenerationResult[] together = await Task.WhenAll(crowd);
            for (int i = 0; i < requests.Length; i++)
            {
                string what = $"request {i} (λ = {requests[i].Lambda}), budget {budget}";
                Assert.That(together[i].Tokens, Is.EqualTo(alone[i].Tokens), what);
                Assert.That(EventBits.Of(together[i].Events), Is.EqualTo(EventBits.Of(alone[i].Events)), what);
                Assert.That(together[i].Finish, Is.EqualTo(alone[i].Finish), what);
            }
        }
    }

    [Test]
    public async Task The_number_of_figures_asked_for_does_not_change_the_tokens()
    {
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("qwen3"));
        foreach (GenerationRequest request in Requests(12))
        {
            GenerationResult without = await engine.CompleteAsync(request with { Statistics = false, TopTokens = 0 });
            GenerationResult with = await engine.CompleteAsync(request with { Statistics = true, TopTokens = 5 });
            Assert.That(with.Tokens, Is.EqualTo(without.Tokens));
            Assert.That(with.KlReference, Is.Not.Null.And.GreaterThanOrEqualTo(0));
            Assert.That(with.Events, Has.All.Matches<TokenEvent>(token => token!.TopTokens.Count == 5));
        }
    }

    [Test]
    public async Task Seeds_and_streams_tell_samples_apart()
    {
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic"));
        GenerationRequest request = Requests(1)[0] with { Lambda = 0.5f, MaxTokens = 30, StopTokens = [], Sampling = new SamplingOptions { Seed = 1 } };
        GenerationResult first = await engine.CompleteAsync(request);
        GenerationResult again = await engine.CompleteAsync(request);
        GenerationResult otherSeed = await engine.CompleteAsync(request with { Sampling = new SamplingOptions { Seed = 2 } });
        GenerationResult otherStream = await engine.CompleteAsync(request with { Sampling = new SamplingOptions { Seed = 1, Stream = 1 } });
        Assert.That(again.Tokens, Is.EqualTo(first.Tokens));
        Assert.That(otherSeed.Tokens, Is.Not.EqualTo(first.Tokens));
        Assert.That(otherStream.Tokens, Is.Not.EqualTo(first.Tokens));
    }

    /// <summary>Prompts of 1 to 60 tokens, every λ, greedy and sampled, with and without cuts, penalties and figures.</summary>
    private static GenerationRequest[] Requests(int count)
    {
        var random = new Random(11);
        return
        [
            .. Enumerable.Range(0, count).Select(i => new GenerationRequest
            {
                PromptTokens = [.. Enumerable.Range(0, random.Next(1, 60)).Select(_ => random.Next(320))],
                Lambda = Lambdas[i % Lambdas.Length],
                MaxTokens = random.Next(1, 20),
                Statistics = random.Next(2) == 0,
                TopTokens = i % 5 == 0 ? 3 : 0,
                Sampling = (i % 4) switch
                {
                    0 => SamplingOptions.Greedy,
                    1 => new SamplingOptions { Seed = (ulong)i },
                    2 => new SamplingOptions { Seed = (ulong)i, Temperature = 1.5f, TopP = 0.8f, TopK = 40, MinP = 0.01f },
                    _ => new SamplingOptions
                    {
                        Seed = (ulong)i,
                        RepetitionPenalty = 1.3f,
                        PresencePenalty = 0.5f,
                        FrequencyPenalty = 0.2f,
                        LogitBias = new Dictionary<int, float> { [3] = 2, [5] = float.NegativeInfinity },
                    },
                },
            }),
        ];
    }
}

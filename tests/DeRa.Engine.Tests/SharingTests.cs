namespace DeRa.Engine.Tests;

/// <summary>One prompt at many λ and in many samples: computed once, kept once, and the same bits as alone.</summary>
public sealed class SharingTests
{
    private static readonly int[] Prompt = [.. Enumerable.Range(0, 300).Select(i => (i * 37) % 320)];

    [TestCase("cpu")]
    [TestCase("opencl")]
    public async Task Sixteen_lambdas_prefill_one_prompt_once_per_model_and_add_only_what_they_decode(string device)
    {
        Pairs.Require(device);
        const int MaxTokens = 20;
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic", device));
        GenerationRequest[] requests =
        [
            .. Enumerable.Range(0, 16).Select(i => new GenerationRequest
            {
                PromptTokens = Prompt, Lambda = i * 0.125f, MaxTokens = MaxTokens, StopTokens = [], Sampling = new SamplingOptions { Seed = 1, Stream = (uint)i },
            }),
        ];
        int mostBlocks = 0;
        Task<IReadOnlyList<GenerationResult>> running = engine.CompleteTogetherAsync(requests);
        while (!running.IsCompleted)
        {
            mostBlocks = Math.Max(mostBlocks, engine.Statistics.BlocksInUse);
            await Task.Yield();
        }

        IReadOnlyList<GenerationResult> together = await running;
        EngineStatistics statistics = engine.Statistics;
        Assert.That(statistics.ReferencePrefillTokens, Is.EqualTo(300));
        Assert.That(statistics.AlignedPrefillTokens, Is.EqualTo(300));

        // 18 full blocks of the prompt for all; each λ its own copy of the 12 tokens past them and the 19 that are fed back: 2 blocks.
        Assert.That(mostBlocks, Is.InRange(18 + 1, 18 + (16 * 2)));
        for (int i = 0; i < requests.Length; i++)
        {
            GenerationResult alone = await engine.CompleteAsync(requests[i]);
            Assert.That(together[i].Tokens, Is.EqualTo(alone.Tokens), $"λ = {requests[i].Lambda}");
            Assert.That(together[i].LogProb, Is.EqualTo(alone.LogProb), $"λ = {requests[i].Lambda}");
        }
    }

    [Test]
    public async Task Samples_are_those_of_requests_with_streams_of_their_own()
    {
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic"));
        var request = new GenerationRequest { PromptTokens = [.. Prompt.Take(50)], Lambda = 0.5f, MaxTokens = 12, StopTokens = [], Samples = 5, Sampling = new() { Seed = 9, Stream = 3 } };
        IReadOnlyList<GenerationResult> samples = await engine.CompleteTogetherAsync([request]);
        Assert.That(engine.Statistics.ReferencePrefillTokens, Is.EqualTo(50));
        Assert.That(samples.Select(sample => string.Join(',', sample.Tokens)), Is.Unique);
        for (int i = 0; i < 5; i++)
        {
            GenerationResult alone = await engine.CompleteAsync(request with { Samples = 1, Sampling = request.Sampling with { Stream = 3 + (uint)i } });
            Assert.That(samples[i].Tokens, Is.EqualTo(alone.Tokens));
        }

        var streamed = new int[5];
        await foreach (TokenEvent token in engine.GenerateAsync(request))
        {
            Assert.That(token.TokenId, Is.EqualTo(samples[token.Sample].Tokens[streamed[token.Sample]++]));
        }

        Assert.That(streamed, Is.All.EqualTo(12));
        Assert.That(async () => await engine.CompleteAsync(request), Throws.TypeOf<RequestException>().With.Message.Contains("samples"));
    }

    [Test]
    public async Task Coupled_lambdas_that_have_not_parted_take_one_pass_and_one_set_of_blocks()
    {
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic"));
        GenerationRequest request = new() { PromptTokens = [.. Prompt.Take(40)], MaxTokens = 30, StopTokens = [], Sampling = new() { Seed = 4, Coupled = true } };

        // λ this close draw alike for all of the output; then one of another kind parts.
        GenerationRequest[] near = [.. Enumerable.Range(0, 8).Select(i => request with { Lambda = 0.5f + (i * 1e-6f) })];
        IReadOnlyList<GenerationResult> results = await engine.CompleteTogetherAsync(near);
        Assert.That(results.Select(result => string.Join(',', result.Tokens)).Distinct().Count(), Is.EqualTo(1));
        Assert.That(engine.Statistics.DecodeTokens, Is.EqualTo(2 * 29), "29 tokens fed back, once through each model");
        Assert.That(engine.Statistics.Forks, Is.Zero);

        results = await engine.CompleteTogetherAsync([.. near, request with { Lambda = 3 }]);
        Assert.That(engine.Statistics.Forks, Is.EqualTo(1));
        Assert.That(results[^1].Tokens, Is.EqualTo((await engine.CompleteAsync(request with { Lambda = 3 })).Tokens));
    }

    [Test]
    public async Task Coupled_noise_is_the_prompts_own()
    {
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic"));

        // At a temperature this high the noise alone decides.
        var plain = new SamplingOptions { Seed = 2, Temperature = 1e6f };
        GenerationRequest one = new() { PromptTokens = [1, 2, 3], MaxTokens = 8, StopTokens = [], Sampling = plain }, other = one with { PromptTokens = [4, 5, 6] };
        Assert.That(await TokensAsync(one), Is.EqualTo(await TokensAsync(other)), "prompts of one length share their noise");
        one = one with { Sampling = plain with { Coupled = true } };
        other = other with { Sampling = one.Sampling };
        Assert.That(await TokensAsync(one), Is.Not.EqualTo(await TokensAsync(other)));
        Assert.That(await TokensAsync(one with { Lambda = 0.2f }), Is.EqualTo(await TokensAsync(one)), "whatever λ is");

        async Task<IReadOnlyList<int>> TokensAsync(GenerationRequest request) => (await engine.CompleteAsync(request)).Tokens;
    }

    [Test]
    public async Task A_conversation_finds_what_it_computed_before()
    {
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic"));
        GenerationRequest request = new() { PromptTokens = [.. Prompt.Take(64)], Lambda = 0.5f, MaxTokens = 33, StopTokens = [] };
        GenerationResult first = await engine.CompleteAsync(request);
        long before = engine.Statistics.ReferencePrefillTokens;
        await engine.CompleteAsync(request with { PromptTokens = [.. request.PromptTokens, .. first.Tokens, 7, 8, 9] });
        Assert.That(engine.Statistics.ReferencePrefillTokens - before, Is.EqualTo(4), "100 tokens less 96 in 6 blocks");
    }
}

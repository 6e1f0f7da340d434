namespace DeRa.Engine.Tests;

/// <summary>Scoring through the engine: closed forms hold, and a text's figures do not depend on what else runs.</summary>
public sealed class ScoringTests
{
    private static readonly float[] Lambdas = [0, 0.5f, 1, 2];

    [Test]
    public async Task Scores_a_generation_as_it_was_drawn()
    {
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic"));
        int[] prompt = [5, 9, 2, 40];
        var request = new GenerationRequest { PromptTokens = prompt, Lambda = 0.5f, MaxTokens = 30, StopTokens = [], Statistics = true };
        GenerationResult drawn = await engine.CompleteAsync(request);
        IReadOnlyList<LambdaScore> scores = await engine.ScoreAsync(
            new ScoreRequest { Tokens = [.. prompt, .. drawn.Tokens], From = prompt.Length, Lambdas = [0.5f, 0] });
        Assert.That(scores, Has.Count.EqualTo(2));
        Assert.That(scores[0].TokenLogProbs, Has.Count.EqualTo(30));
        for (int i = 0; i < 30; i++)
        {
            Assert.That(scores[0].TokenLogProbs[i], Is.EqualTo(drawn.Events[i].LogProb).Within(1e-4));
            Assert.That(scores[1].TokenLogProbs[i], Is.EqualTo(drawn.Events[i].LogProbReference).Within(1e-4));
            Assert.That(scores[0].KlReference[i], Is.EqualTo(drawn.Events[i].KlReference).Within(1e-4));
        }

        Assert.That(scores[1].SequenceGap, Is.Zero.Within(1e-4), "A(0) = 0");
    }

    [TestCase("cpu")]
    public async Task Many_lambdas_at_once_score_as_each_by_itself(string device)
    {
        Pairs.Require(device);
        float[] lambdas = [.. Enumerable.Range(0, 21).Select(i => i / 10f)];
        var random = new Random(8);
        int[] tokens = [.. Enumerable.Range(0, 60).Select(_ => random.Next(320))];
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic", device));
        IReadOnlyList<LambdaScore> together = await engine.ScoreAsync(new ScoreRequest { Tokens = tokens, Lambdas = lambdas });
        Assert.That(together.Select(score => score.Lambda), Is.EqualTo(lambdas));
        foreach (LambdaScore expected in together)
        {
            LambdaScore alone = (await engine.ScoreAsync(new ScoreRequest { Tokens = tokens, Lambdas = [expected.Lambda] }))[0];
            string at = $"λ = {expected.Lambda}";
            Assert.That(alone.TokenLogProbs, Is.EqualTo(expected.TokenLogProbs).Within(1e-5), at);
            Assert.That(alone.KlReference, Is.EqualTo(expected.KlReference).Within(1e-5), at);
            Assert.That(alone.KlAligned, Is.EqualTo(expected.KlAligned).Within(1e-5), at);
            Assert.That(alone.LogNormalizer, Is.EqualTo(expected.LogNormalizer).Within(1e-5), at);
        }
    }

    [TestCase("cpu")]
    [TestCase("opencl")]
    public async Task A_text_gets_the_same_bits_alone_and_among_generations(string device)
    {
        Pairs.Require(device);
        var random = new Random(3);
        ScoreRequest[] texts =
        [
            .. Enumerable.Range(0, device == "cpu" ? 24 : 8).Select(i =>
            {
                int[] tokens = [.. Enumerable.Range(0, random.Next(2, 90)).Select(_ => random.Next(320))];
                return new ScoreRequest { Tokens = tokens, From = random.Next(1, tokens.Length), Lambdas = i % 3 == 0 ? [0.7f] : Lambdas };
            }),
        ];
        var alone = new IReadOnlyList<LambdaScore>[texts.Length];
        await using (RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic", device)))
        {
            for (int i = 0; i < texts.Length; i++)
            {
                alone[i] = await engine.ScoreAsync(texts[i]);
            }
        }

        EngineOptions options = Pairs.Golden("llama_basic", device) with { MaxBatchTokens = 19, MaxSequences = 6, CachePositions = 512 };
        await using RealignmentEngine crowded = await RealignmentEngine.LoadAsync(options);
        Task<GenerationResult>[] beside =
        [
            .. Enumerable.Range(0, 6).Select(i => crowded.CompleteAsync(new GenerationRequest
            {
                PromptTokens = [.. texts[i].Tokens], Lambda = Lambdas[i % Lambdas.Length], MaxTokens = 12, StopTokens = [],
            })),
        ];
        IReadOnlyList<LambdaScore>[] together = await Task.WhenAll(texts.Select(text => crowded.ScoreAsync(text)));
        await Task.WhenAll(beside);
        for (int i = 0; i < texts.Length; i++)
        {
            Assert.That(Bits(together[i]), Is.EqualTo(Bits(alone[i])), $"text {i}");
        }
    }

    [Test]
    public async Task One_model_alone_scores_and_draws_alike_at_every_lambda()
    {
        EngineOptions options = Pairs.Golden("llama_basic");
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(options with { AlignedFolder = options.ReferenceFolder });
        GenerationRequest request = new() { PromptTokens = [5, 9, 2], MaxTokens = 12, StopTokens = [], Sampling = SamplingOptions.Greedy };
        GenerationResult[] results = await Task.WhenAll(((float[])[0, 0.5f, 1]).Select(lambda => engine.CompleteAsync(request with { Lambda = lambda })));
        Assert.That(results[1].Tokens, Is.EqualTo(results[0].Tokens));
        Assert.That(results[2].Tokens, Is.EqualTo(results[0].Tokens));
        IReadOnlyList<LambdaScore> scores = await engine.ScoreAsync(new ScoreRequest { Tokens = [5, 9, 2, 7], Lambdas = [0, 2] });
        Assert.That(scores[1].LogLikelihood, Is.EqualTo(scores[0].LogLikelihood).Within(1e-4));
        Assert.That(scores[1].KlReference, Is.All.EqualTo(0).Within(1e-6));
    }

    [Test]
    public async Task Texts_that_cannot_be_scored_are_refused_with_the_facts()
    {
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic") with { CachePositions = 64 });
        var request = new ScoreRequest { Tokens = [1, 2, 3], Lambdas = [1] };
        Refused(request with { Tokens = [1] }, "at least 2");
        Refused(request with { From = 3 }, "found 3");
        Refused(request with { Lambdas = [] }, "lambdas");
        Refused(request with { Lambdas = [float.NaN] }, "lambdas");
        Refused(request with { Lambdas = [-1e20f] }, "lambdas");
        Refused(request with { Lambdas = null! }, "lambdas: expected a value");
        Refused(request with { Tokens = [1, 100_000] }, "100000");
        Refused(request with { Tokens = [.. Enumerable.Repeat(1, 66)] }, "65 cache positions");

        void Refused(ScoreRequest text, string named) =>
            Assert.That(async () => await engine.ScoreAsync(text), Throws.TypeOf<RequestException>().With.Message.Contains(named));
    }

    private static long[] Bits(IReadOnlyList<LambdaScore> scores) =>
    [
        .. scores.SelectMany(score => (double[])
            [score.LogLikelihood, score.SequenceGap, .. score.TokenLogProbs, .. score.KlReference, .. score.KlAligned, .. score.LogNormalizer])
            .Select(BitConverter.DoubleToInt64Bits),
    ];
}

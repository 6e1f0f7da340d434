using DeRa.Models.Tests;

namespace DeRa.Engine.Tests.Speculation;

/// <summary>Under either rule texts follow the mixture's law (Pearson's χ²), and passes per token are 2 − α.</summary>
public sealed class SpeculationLawTests
{
    private const int Vocabulary = 8;

    private const string Tiny = """
        {"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_act":"silu","hidden_size":16,"intermediate_size":24,"num_hidden_layers":2,
         "num_attention_heads":2,"num_key_value_heads":1,"vocab_size":8,"max_position_embeddings":64,"rms_norm_eps":1e-5,"rope_theta":10000.0,
         "tie_word_embeddings":false,"bos_token_id":0,"eos_token_id":1}
        """;

    private static readonly SpeculationOptions Alternating = new() { Mode = SpeculationMode.Alternating, MinAcceptance = 0, MaxSequences = 64 };

    private static IEnumerable<TestCaseData> Laws()
    {
        (string Name, SamplingOptions Sampling)[] samplings =
        [
            ("plain", new()), ("temperature 0.7", new() { Temperature = 0.7f }), ("top-k 4", new() { TopK = 4 }), ("top-p 0.8", new() { TopP = 0.8f }),
        ];
        foreach (SpeculationRule rule in Enum.GetValues<SpeculationRule>())
        {
            foreach ((string name, SamplingOptions sampling) in samplings)
            {
                yield return new TestCaseData(Alternating with { Rule = rule }, sampling).SetArgDisplayNames($"alternating {rule}, {name}");
            }

            yield return new TestCaseData(Alternating with { Rule = rule, Mode = SpeculationMode.OneSided, Drafts = 2 }, new SamplingOptions())
                .SetArgDisplayNames($"one-sided {rule}, plain");
        }
    }

    /// <summary>All 8 · 8 · 8 continuations of a prompt, each with its exact probability.</summary>
    [TestCaseSource(nameof(Laws))]
    public async Task Texts_follow_the_exact_law(SpeculationOptions speculation, SamplingOptions sampling)
    {
        const int Draws = 2500;
        using var reference = new TinyCheckpoint(Tiny, seed: 1);
        using var aligned = new TinyCheckpoint(Tiny, seed: 2);
        var options = new EngineOptions
        {
            ReferenceFolder = reference.Path,
            AlignedFolder = aligned.Path,
            Device = "cpu",
            CachePositions = 16 * 64,
            Speculation = speculation,
        };
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(options);
        var request = new GenerationRequest { PromptTokens = [3], Lambda = 0.6f, StopTokens = [], MaxTokens = 3, Sampling = sampling };
        double[] law = await LawAsync(engine, request);
        int[] counts = new int[law.Length];
        for (int i = 0; i < Draws; i++)
        {
            // One after another: samples of one prompt that run together are computed once, without drafts.
            GenerationResult result = await engine.CompleteAsync(request with { Sampling = sampling with { Stream = (uint)i } });
            counts[result.Tokens.Aggregate(0, (index, token) => (index * Vocabulary) + token)]++;
        }

        Assert.That(law.Sum(), Is.EqualTo(1).Within(1e-5));
        Assert.That(Enumerable.Range(0, law.Length).Where(i => law[i] == 0 && counts[i] > 0), Is.Empty, "a text that cannot be");
        Assert.That(engine.Speculation.Tokens, Is.GreaterThan(Draws), "most tokens are judged drafts");
        Assert.That(engine.Speculation.Acceptance, Is.InRange(0.1, 0.95), "drafts that stand and drafts that fall");
        AssertFits([.. law.Select(p => p * Draws)], [.. counts.Select(count => (double)count)], variance: 1);
    }

    /// <summary>The bundled pair, against plain decoding: two samples of one law, by their tokens at each of the first positions.</summary>
    [Test]
    public async Task The_bundled_pair_keeps_its_law_under_the_ratio_rule([Values(0.5f, 1.5f)] float lambda)
    {
        const int Draws = 600, Length = 6;
        double[][] counts = new double[2][];
        for (int way = 0; way < 2; way++)
        {
            SpeculationOptions speculation = way == 0 ? new() : Alternating with { Rule = SpeculationRule.Ratio };
            await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Bundled() with { Speculation = speculation });
            var request = new GenerationRequest
            {
                PromptTokens = engine.Text.EncodeChat([new("user", "Tell me about the fox in the garden.")]),
                Lambda = lambda,
                StopTokens = [],
                MaxTokens = Length,
            };
            counts[way] = new double[Length * engine.Vocabulary];
            for (int draw = 0; draw < Draws; draw++)
            {
                GenerationResult result = await engine.CompleteAsync(
                    request with { Sampling = new SamplingOptions { Seed = (ulong)way, Stream = (uint)draw } });
                for (int i = 0; i < Length; i++)
                {
                    counts[way][(i * engine.Vocabulary) + result.Tokens[i]]++;
                }
            }
        }

        int vocabulary = counts[0].Length / Length;
        for (int position = 0; position < Length; position++)
        {
            // Both are samples: the difference has the variance of both, and a cell's expectation is their mean.
            double[] plain = counts[0][(position * vocabulary)..((position + 1) * vocabulary)], drafted = counts[1][(position * vocabulary)..((position + 1) * vocabulary)];
            AssertFits([.. plain.Zip(drafted, (a, b) => (a + b) / 2)], drafted, variance: 0.5);
        }
    }

    [Test]
    public async Task A_token_of_the_bundled_pair_costs_two_passes_less_the_acceptance(
        [Values] SpeculationRule rule, [Values(0.25f, 0.5f, 0.75f, 1.5f)] float lambda)
    {
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Bundled() with { Speculation = Alternating with { Rule = rule } });
        string[] prompts = ["Tell me about the fox in the garden.", "Describe the market in the winter.", "Tell me about an owl.", "Describe the river."];
        await Task.WhenAll(prompts.Select((prompt, i) => engine.CompleteAsync(new GenerationRequest
        {
            PromptTokens = engine.Text.EncodeChat([new("user", prompt)]),
            Lambda = lambda,
            StopTokens = [],
            MaxTokens = 200,
            Sampling = new() { Seed = (ulong)i },
        })));
        SpeculationStatistics statistics = engine.Speculation;
        TestContext.Out.WriteLine($"{rule}, λ = {lambda}: acceptance {statistics.Acceptance:P1}, {statistics.PassesPerToken:F3} passes per token");
        Assert.That(statistics.Tokens, Is.GreaterThan(700));
        Assert.That(statistics.PassesPerToken, Is.EqualTo(2 - statistics.Acceptance).Within(5).Percent);
        Assert.That(statistics.Acceptance, Is.GreaterThan(0.4));
    }

    /// <summary>Probabilities of all texts of three tokens, from the log-probabilities of each prefix's next tokens.</summary>
    private static async Task<double[]> LawAsync(RealignmentEngine engine, GenerationRequest request)
    {
        double[] law = [1];
        for (int length = 0; length < 3; length++)
        {
            double[] longer = new double[law.Length * Vocabulary];
            for (int prefix = 0; prefix < law.Length; prefix++)
            {
                List<int> tokens = [.. request.PromptTokens];
                for (int i = length - 1; i >= 0; i--)
                {
                    tokens.Add(prefix / (int)Math.Pow(Vocabulary, i) % Vocabulary);
                }

                GenerationResult next = await engine.CompleteAsync(
                    request with { PromptTokens = tokens, MaxTokens = 1, TopTokens = Vocabulary, Sampling = SamplingOptions.Greedy });
                double[] logs = new double[Vocabulary];
                foreach (DeRa.Kernels.TopToken top in next.Events[0].TopTokens)
                {
                    logs[top.TokenId] = top.LogProb;
                }

                double[] warped = Warp(logs, request.Sampling);
                for (int token = 0; token < Vocabulary; token++)
                {
                    longer[(prefix * Vocabulary) + token] = law[prefix] * warped[token];
                }
            }

            law = longer;
        }

        return law;
    }

    /// <summary>Temperature, then top-k, then top-p, in float64.</summary>
    private static double[] Warp(double[] logs, SamplingOptions sampling)
    {
        double[] p = [.. logs.Select(log => Math.Exp(log / sampling.Temperature))];
        if (sampling.TopK > 0)
        {
            double least = p.OrderDescending().ElementAt(sampling.TopK - 1);
            p = [.. p.Select(value => value >= least ? value : 0)];
        }

        double total = p.Sum(), limit = sampling.TopP * total;
        p = [.. p.Select(value => sampling.TopP < 1 && p.Where(other => other > value).Sum() >= limit ? 0 : value)];
        return [.. p.Select(value => value / p.Sum())];
    }

    /// <summary>χ² of observed against expected counts at a one-sided 10⁻⁹; cells that expect fewer than 8 are counted as one.</summary>
    private static void AssertFits(double[] expected, double[] observed, double variance)
    {
        double rareExpected = 0, rareObserved = 0, statistic = 0;
        int cells = 0;
        void Count(double e, double o)
        {
            cells++;
            statistic += (o - e) * (o - e) / (variance * e);
        }

        for (int i = 0; i < expected.Length; i++)
        {
            if (expected[i] < 8)
            {
                (rareExpected, rareObserved) = (rareExpected + expected[i], rareObserved + observed[i]);
            }
            else
            {
                Count(expected[i], observed[i]);
            }
        }

        if (rareExpected >= 8)
        {
            Count(rareExpected, rareObserved);
        }

        // Wilson and Hilferty: (χ²/n)^(1/3) is nearly normal with mean 1 − 2/(9n) and variance 2/(9n).
        double freedom = Math.Max(1, cells - 1), spread = 2 / (9 * freedom);
        Assert.That(statistic, Is.LessThan(freedom * Math.Pow(1 - spread + (6 * Math.Sqrt(spread)), 3)), $"chi-square of {cells} cells");
    }
}

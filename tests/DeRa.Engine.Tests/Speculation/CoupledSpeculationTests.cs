namespace DeRa.Engine.Tests.Speculation;

/// <summary>With coupled drafts the output is that of plain decoding, bit for bit, at every temperature, whoever drafts and whatever else runs.</summary>
public sealed class CoupledSpeculationTests
{
    private static readonly SpeculationOptions[] Ways =
    [
        new() { Mode = SpeculationMode.Alternating, MinAcceptance = 0, MaxSequences = 3 },
        new() { Mode = SpeculationMode.OneSided, Drafts = 3, MinAcceptance = 0, MaxSequences = 2 },
        new() { Mode = SpeculationMode.Alternating, MinAcceptance = 0.5, MaxSequences = 64 },
    ];

    [TestCase("llama_basic", "cpu")]
    [TestCase("llama_basic", "opencl")]
    [TestCase("gpt2", "cpu")]
    public async Task The_output_is_that_of_plain_decoding(string pair, string device)
    {
        Pairs.Require(device);
        GenerationRequest[] requests = Requests(18, vocabulary: 250, maxTokens: device == "cpu" ? 24 : 8);
        GenerationResult[] plain = await RunAsync(Pairs.Golden(pair, device), requests, together: 1);
        foreach (SpeculationOptions speculation in Ways)
        {
            foreach (int together in new[] { 2, 18 })
            {
                GenerationResult[] drafted = await RunAsync(Pairs.Golden(pair, device) with { Speculation = speculation }, requests, together);
                for (int i = 0; i < requests.Length; i++)
                {
                    string what = $"request {i} (λ = {requests[i].Lambda}), {speculation.Mode}, {together} together";
                    Assert.That(drafted[i].Tokens, Is.EqualTo(plain[i].Tokens), what);
                    Assert.That(EventBits.Of(drafted[i].Events), Is.EqualTo(EventBits.Of(plain[i].Events)), what);
                    Assert.That(drafted[i].Finish, Is.EqualTo(plain[i].Finish), what);
                }
            }
        }
    }

    /// <summary>The bundled pair has one output matrix for both models, which mixes hidden states where no figures are asked for.</summary>
    [Test]
    public async Task A_shared_output_matrix_keeps_its_bits()
    {
        EngineOptions options = Pairs.Bundled();
        GenerationRequest[] requests = Requests(9, vocabulary: 500, maxTokens: 60);
        GenerationResult[] plain = await RunAsync(options, requests, together: 1);
        GenerationResult[] drafted = await RunAsync(options with { Speculation = Ways[0] }, requests, together: 3);
        Assert.That(drafted.SelectMany(result => EventBits.Of(result.Events)), Is.EqualTo(plain.SelectMany(result => EventBits.Of(result.Events))));
    }

    [Test]
    public async Task Keys_that_rotate_otherwise_beyond_a_length_are_left_to_plain_steps()
    {
        using var reference = new DeRa.Models.Tests.TinyCheckpoint(DynamicNtk, seed: 1);
        using var aligned = new DeRa.Models.Tests.TinyCheckpoint(DynamicNtk, seed: 2);
        var options = new EngineOptions { ReferenceFolder = reference.Path, AlignedFolder = aligned.Path, Device = "cpu", CachePositions = 512 };
        GenerationRequest[] requests = [new() { PromptTokens = [1, 2, 3], Lambda = 0.4f, MaxTokens = 40, StopTokens = [] }];
        GenerationResult[] plain = await RunAsync(options, requests, together: 1);
        GenerationResult[] drafted = await RunAsync(options with { Speculation = Ways[0] }, requests, together: 1);
        Assert.That(EventBits.Of(drafted[0].Events), Is.EqualTo(EventBits.Of(plain[0].Events)));
    }

    [Test]
    public async Task A_schedule_is_asked_once_per_token()
    {
        var asked = new List<int>();
        LambdaSchedule schedule = LambdaSchedule.Callback(position =>
        {
            asked.Add(position.Index);
            return 0.3f + (float)Math.Min(0.5, position.KlReference / 10);
        });
        GenerationRequest request = new() { PromptTokens = [5, 6], Lambda = schedule, MaxTokens = 25, StopTokens = [], Sampling = new SamplingOptions { Seed = 4 } };
        GenerationResult plain = (await RunAsync(Pairs.Golden("qwen3"), [request], together: 1))[0];
        asked.Clear();
        GenerationResult drafted = (await RunAsync(Pairs.Golden("qwen3") with { Speculation = Ways[0] }, [request], together: 1))[0];
        Assert.That(asked, Is.EqualTo(Enumerable.Range(0, 25)));
        Assert.That(EventBits.Of(drafted.Events), Is.EqualTo(EventBits.Of(plain.Events)));
    }

    [Test]
    public async Task Large_batches_and_drafts_that_fall_turn_it_off()
    {
        GenerationRequest[] requests = Requests(6, vocabulary: 250);
        await using (RealignmentEngine engine = await RealignmentEngine.LoadAsync(
            Pairs.Golden("llama_basic") with { Speculation = new() { Mode = SpeculationMode.Alternating, MaxSequences = 1, MinAcceptance = 0 } }))
        {
            await Task.WhenAll(requests.Select(request => engine.CompleteAsync(request with { MaxTokens = 30, StopTokens = [] })));
            Assert.That(engine.Speculation.Tokens, Is.LessThan(90), "of 180: only while one is alone");
        }

        await using (RealignmentEngine engine = await RealignmentEngine.LoadAsync(
            Pairs.Golden("llama_basic") with { Speculation = new() { Mode = SpeculationMode.Alternating, MinAcceptance = 0.9 } }))
        {
            await engine.CompleteAsync(new() { PromptTokens = [7], Lambda = 0.5f, MaxTokens = 100, StopTokens = [] });
            Assert.That(engine.Speculation.Acceptance, Is.LessThan(0.9));
            Assert.That(engine.Speculation.Tokens, Is.GreaterThan(0).And.LessThan(60));
        }
    }

    [Test]
    public void Options_are_checked()
    {
        EngineOptions options = Pairs.Golden("llama_basic") with { Speculation = new() { Mode = SpeculationMode.OneSided, Drafts = 0 } };
        Assert.That(async () => await RealignmentEngine.LoadAsync(options), Throws.ArgumentException.With.Message.Contains("drafts"));
    }

    private const string DynamicNtk = """
        {"model_type":"llama","architectures":["LlamaForCausalLM"],"hidden_act":"silu","hidden_size":16,"intermediate_size":24,"num_hidden_layers":2,
         "num_attention_heads":2,"num_key_value_heads":1,"vocab_size":20,"max_position_embeddings":16,"rms_norm_eps":1e-5,"rope_theta":10000.0,
         "rope_scaling":{"type":"dynamic","factor":2.0},"tie_word_embeddings":false,"bos_token_id":0,"eos_token_id":1}
        """;

    private static async Task<GenerationResult[]> RunAsync(EngineOptions options, GenerationRequest[] requests, int together)
    {
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(options);
        var results = new List<GenerationResult>();
        foreach (GenerationRequest[] some in requests.Chunk(together))
        {
            results.AddRange(await Task.WhenAll(some.Select(request => engine.CompleteAsync(request))));
        }

        return [.. results];
    }

    /// <summary>Every λ with both models and without, greedy and sampled, with and without cuts, penalties, figures and schedules.</summary>
    private static GenerationRequest[] Requests(int count, int vocabulary, int maxTokens = 24)
    {
        var random = new Random(3);
        LambdaSchedule[] lambdas =
        [
            0.3f, 1.7f, 0.5f, -0.4f, LambdaSchedule.Linear(0, 1, 10), 1, 0, LambdaSchedule.Piecewise((0, 0.2f), (5, 1)),
            LambdaSchedule.Callback(position => position.KlReference > 3 ? 0.2f : 0.9f),
        ];
        return
        [
            .. Enumerable.Range(0, count).Select(i => new GenerationRequest
            {
                PromptTokens = [.. Enumerable.Range(0, random.Next(1, 40)).Select(_ => random.Next(vocabulary))],
                Lambda = lambdas[i % lambdas.Length],
                MaxTokens = random.Next(1, maxTokens),
                StopTokens = i % 6 == 0 ? [.. Enumerable.Range(0, vocabulary / 10)] : [],
                Statistics = i % 3 == 0,
                TopTokens = i % 5 == 0 ? 3 : 0,
                Sampling = (i % 4) switch
                {
                    0 => SamplingOptions.Greedy,
                    1 => new SamplingOptions { Seed = (ulong)i },
                    2 => new SamplingOptions { Seed = (ulong)i, Temperature = 0.8f, TopP = 0.9f, TopK = 40, MinP = 0.01f },
                    _ => new SamplingOptions
                    {
                        Seed = (ulong)i,
                        Temperature = 0.5f,
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

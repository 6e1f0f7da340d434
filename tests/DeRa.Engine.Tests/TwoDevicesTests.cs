using DeRa.Kernels.Cpu;
using DeRa.Models;

namespace DeRa.Engine.Tests;

/// <summary>
/// The reference model on one device, the aligned model on another: what an engine promises holds as on one. Two sets on one processor give the bits of
/// one set, through preemption, the prefix cache, λ schedules, drafts and scoring.
/// </summary>
public sealed class TwoDevicesTests
{
    private static readonly SpeculationOptions[] Drafting =
    [
        new() { Mode = SpeculationMode.Alternating, MinAcceptance = 0, MaxSequences = 64 },
        new() { Mode = SpeculationMode.OneSided, Drafts = 3, MinAcceptance = 0, MaxSequences = 8 },
    ];

    [TestCase(true)]
    [TestCase(false)]
    public async Task Two_devices_of_a_kind_put_out_what_one_does(bool prefixCache)
    {
        GenerationRequest[] requests = Requests(20, maxTokens: 40);
        EngineOptions options = Pairs.Golden("llama_basic");
        (int[][] expected, LambdaScore[] scores, _) = await RunAsync(options, requests);
        EngineOptions tight = options with { CachePositions = 400, MaxBatchTokens = 64, PrefixCache = prefixCache, OpenDevices = Two };
        (int[][] apart, LambdaScore[] scoresApart, EngineStatistics statistics) = await RunAsync(tight, requests);
        for (int i = 0; i < requests.Length; i++)
        {
            Assert.That(apart[i], Is.EqualTo(expected[i]), $"request {i}");
        }

        Assert.That(scoresApart.SelectMany(score => score.TokenLogProbs), Is.EqualTo(scores.SelectMany(score => score.TokenLogProbs)));
        Assert.That(scoresApart.Select(score => score.SequenceGap), Is.EqualTo(scores.Select(score => score.SequenceGap)));
        Assert.That(statistics.Preemptions, Is.GreaterThan(0));
        Assert.That(statistics.PrefixHitTokens, prefixCache ? Is.GreaterThan(0) : Is.Zero);
        Assert.That(statistics.Forks, Is.GreaterThan(0), "samples that part have their blocks copied on both devices");
    }

    [TestCaseSource(nameof(Drafting))]
    public async Task Drafts_on_two_devices_stand_or_fall_as_on_one(SpeculationOptions speculation)
    {
        GenerationRequest[] requests = Drafted();
        (int[][] expected, _, _) = await RunAsync(Pairs.Golden("llama_basic"), requests);
        (int[][] apart, _, EngineStatistics statistics) = await RunAsync(Pairs.Golden("llama_basic") with { Speculation = speculation, OpenDevices = Two }, requests);
        Assert.That(apart, Is.EqualTo(expected));
        Assert.That(statistics.Speculation.Drafted, Is.GreaterThan(0));
    }

    /// <summary>Tokens of this rule depend on which steps speculate, so nothing else is at work, and all requests begin in one step.</summary>
    [Test]
    public async Task Drafts_judged_by_ratio_are_those_of_one_device()
    {
        EngineOptions options = Pairs.Golden("llama_basic") with { Speculation = Drafting[0] with { Rule = SpeculationRule.Ratio } };
        GenerationRequest[] requests = [.. Drafted().Select(request => request with { Statistics = false, TopTokens = 0 })];
        (int[][] expected, _) = await TogetherAsync(options, requests);
        (int[][] apart, EngineStatistics statistics) = await TogetherAsync(options with { OpenDevices = Two }, requests);
        Assert.That(apart, Is.EqualTo(expected));
        Assert.That(statistics.Speculation.Drafted, Is.GreaterThan(0));
    }

    [Test]
    public async Task A_processor_and_an_OpenCL_device_give_the_same_bits_alone_and_in_a_crowd()
    {
        Pairs.Require("opencl");
        EngineOptions options = Pairs.Golden("llama_basic") with { ReferenceDevice = "cpu", AlignedDevice = "opencl:0" };
        GenerationRequest[] requests = Requests(8, maxTokens: 10);
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(options);
        Assert.That((engine.ReferenceDevice.Id, engine.AlignedDevice.Id, engine.Device.Id), Is.EqualTo(("cpu", "opencl:0", "opencl:0")));
        var alone = new List<int[]>();
        foreach (GenerationRequest request in requests)
        {
            alone.Add(EventBits.Of((await engine.CompleteTogetherAsync([request])).SelectMany(result => result.Events)));
        }

        IReadOnlyList<GenerationResult>[] crowd = await Task.WhenAll(requests.Select(request => engine.CompleteTogetherAsync([request])));
        Assert.That(crowd.Select(results => EventBits.Of(results.SelectMany(result => result.Events))), Is.EqualTo(alone));
    }

    [Test]
    public async Task The_same_device_twice_is_one_device()
    {
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(Pairs.Golden("llama_basic", "opencl") with { ReferenceDevice = "cpu", AlignedDevice = "cpu" });
        Assert.That(engine.ReferenceDevice, Is.SameAs(engine.AlignedDevice));
    }

    /// <summary>Requests of which all can speculate.</summary>
    private static GenerationRequest[] Drafted() => [.. Requests(6, maxTokens: 24).Select(request => request with { Lambda = 0.4f, Samples = 1 })];

    private static PairDevices Two() => new(new CpuKernelSet(1), new CpuKernelSet(2));

    private static async Task<(int[][] Bits, LambdaScore[] Scores, EngineStatistics Statistics)> RunAsync(EngineOptions options, GenerationRequest[] requests)
    {
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(options);
        int[] text = [.. Enumerable.Range(0, 70).Select(i => (i * 31) % 320)];
        Task<IReadOnlyList<LambdaScore>> scoring = engine.ScoreAsync(new ScoreRequest { Tokens = text, From = 5, Lambdas = [0, 0.5f, 1.5f] });
        IReadOnlyList<GenerationResult>[] results = await Task.WhenAll(requests.Select(request => engine.CompleteTogetherAsync([request])));
        return ([.. results.Select(of => EventBits.Of(of.SelectMany(result => result.Events)))], [.. await scoring], await Idle.StatisticsAsync(engine));
    }

    private static async Task<(int[][] Bits, EngineStatistics Statistics)> TogetherAsync(EngineOptions options, GenerationRequest[] requests)
    {
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(options);
        IReadOnlyList<GenerationResult> results = await engine.CompleteTogetherAsync(requests);
        return ([.. results.Select(result => EventBits.Of(result.Events))], await Idle.StatisticsAsync(engine));
    }

    /// <summary>Prompts that begin alike, every kind of λ, greedy and sampled, some with several samples and figures.</summary>
    private static GenerationRequest[] Requests(int count, int maxTokens)
    {
        var random = new Random(5);
        int[] beginning = [.. Enumerable.Range(0, 35).Select(_ => random.Next(320))];
        LambdaSchedule[] lambdas =
        [
            0, 0.3f, 1, LambdaSchedule.Linear(from: 0.2f, to: 1.5f, over: 12), LambdaSchedule.Callback(at => at.KlReference < 3 ? 1.5f : 0.5f),
        ];
        return
        [
            .. Enumerable.Range(0, count).Select(i => new GenerationRequest
            {
                PromptTokens = [.. i % 2 == 0 ? beginning : [], .. Enumerable.Range(0, random.Next(1, 20)).Select(_ => random.Next(320))],
                Lambda = lambdas[i % lambdas.Length],
                MaxTokens = maxTokens,
                StopTokens = [],
                Samples = i % 4 == 1 ? 2 : 1,
                Statistics = i % 3 == 0,
                TopTokens = i % 6 == 0 ? 3 : 0,
                Sampling = i % 3 == 2 ? SamplingOptions.Greedy : new SamplingOptions { Seed = (ulong)i, TopP = 0.9f, RepetitionPenalty = 1.1f },
            }),
        ];
    }
}

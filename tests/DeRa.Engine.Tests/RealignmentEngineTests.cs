using DeRa.Kernels;
using DeRa.Models;
using DeRa.Tokenization.ChatTemplates;

namespace DeRa.Engine.Tests;

/// <summary>The engine on the bundled pair: what callers see.</summary>
public sealed class RealignmentEngineTests
{
    private const string Prompt = "Tell me about the fox in the garden.";

    private RealignmentEngine engine = null!;

    [OneTimeSetUp]
    public async Task LoadAsync() => engine = await RealignmentEngine.LoadAsync(Pairs.Bundled());

    [OneTimeTearDown]
    public async Task FreeAsync() => await engine.DisposeAsync();

    [Test]
    public async Task Streams_the_text_it_collects()
    {
        GenerationRequest request = Request(0.5f);
        var text = new List<string>();
        await foreach (TokenEvent token in engine.GenerateAsync(request))
        {
            text.Add(token.Text);
        }

        GenerationResult result = await engine.CompleteAsync(request);
        Assert.That(string.Concat(text), Is.EqualTo(result.Text).And.Not.Empty);
        Assert.That(result.Finish, Is.EqualTo(FinishReason.Stop), "the bundled pair ends its answers by itself");
        Assert.That(engine.StopTokens, Does.Contain(result.Tokens[^1]));
        Assert.That(result.LogProb, Is.EqualTo(result.Events.Sum(token => (double)token.LogProb)));
    }

    [Test]
    public async Task Reports_what_ran()
    {
        GenerationResult reference = await engine.CompleteAsync(Request(0)), aligned = await engine.CompleteAsync(Request(1));
        Assert.That(reference.Events, Has.All.Matches<TokenEvent>(token =>
            token!.LogProbReference == token.LogProb && token.LogProbAligned is null && token.KlReference == 0));
        Assert.That(aligned.Events, Has.All.Matches<TokenEvent>(token =>
            token!.LogProbAligned == token.LogProb && token.LogProbReference is null && token.KlReference is null));
        Assert.That(aligned.KlReference, Is.Null);

        GenerationResult figures = await engine.CompleteAsync(Request(1) with { Statistics = true });
        Assert.That(figures.Tokens, Is.EqualTo(aligned.Tokens));
        Assert.That(figures.KlReference, Is.GreaterThan(0));
    }

    [Test]
    public async Task Divergence_from_the_reference_grows_with_lambda()
    {
        double last = -1;
        foreach (float lambda in (float[])[0, 0.5f, 1, 1.5f, 2])
        {
            GenerationRequest[] requests =
                [.. Enumerable.Range(0, 32).Select(i => Request(lambda) with { Statistics = true, Sampling = new SamplingOptions { Seed = 5, Stream = (uint)i } })];
            GenerationResult[] results = await Task.WhenAll(requests.Select(request => engine.CompleteAsync(request)));
            double mean = results.Average(result => result.KlReference!.Value);
            Assert.That(mean, Is.GreaterThan(last), $"λ = {lambda}");
            last = mean;
        }
    }

    [Test]
    public async Task A_stop_text_ends_the_text_before_it()
    {
        GenerationResult whole = await engine.CompleteAsync(Request(0.5f));
        int firstStop = whole.Text.IndexOf('.', StringComparison.Ordinal);
        GenerationResult cut = await engine.CompleteAsync(Request(0.5f) with { StopTexts = ["."] });
        Assert.That(cut.Text, Is.EqualTo(whole.Text[..firstStop]));
        Assert.That(cut.Finish, Is.EqualTo(FinishReason.Stop));
        Assert.That(cut.Tokens, Is.EqualTo(whole.Tokens.Take(cut.Tokens.Count)));
    }

    [Test]
    public async Task Token_limits_and_ignored_ends_are_kept()
    {
        GenerationResult result = await engine.CompleteAsync(Request(0.5f) with { StopTokens = [], MaxTokens = 90 });
        Assert.That(result.Tokens, Has.Count.EqualTo(90));
        Assert.That(result.Finish, Is.EqualTo(FinishReason.Length));
    }

    [Test]
    public async Task A_forbidden_token_never_comes()
    {
        GenerationRequest request = Request(0.5f) with { StopTokens = [], MaxTokens = 60 };
        int favourite = (await engine.CompleteAsync(request)).Tokens.GroupBy(token => token).MaxBy(group => group.Count())!.Key;
        GenerationResult result = await engine.CompleteAsync(request with
        {
            Sampling = request.Sampling with { LogitBias = new Dictionary<int, float> { [favourite] = float.NegativeInfinity } },
        });
        Assert.That(result.Tokens, Does.Not.Contain(favourite));
    }

    [Test]
    public async Task Stopping_to_read_frees_the_request()
    {
        await using RealignmentEngine small = await RealignmentEngine.LoadAsync(Pairs.Bundled() with { MaxSequences = 1, CachePositions = 512 });
        for (int i = 0; i < 20; i++)
        {
            // Each takes all of the cache; the next could not run if this one stayed.
            await foreach (TokenEvent token in small.GenerateAsync(Request(0.5f) with { MaxTokens = 450, StopTokens = [] }))
            {
                Assert.That(token.Finish, Is.Null);
                break;
            }
        }

        GenerationResult result = await small.CompleteAsync(Request(0.5f));
        Assert.That(result.Tokens, Is.Not.Empty);
    }

    [Test]
    public async Task Cancellation_ends_the_enumeration()
    {
        using var source = new CancellationTokenSource();
        var request = Request(0.5f) with { MaxTokens = 400, StopTokens = [] };
        int seen = 0;
        await Assert.CatchAsync<OperationCanceledException>(async () =>
        {
            await foreach (TokenEvent _ in engine.GenerateAsync(request, source.Token))
            {
                if (++seen == 3)
                {
                    await source.CancelAsync();
                }
            }
        });
        Assert.That(seen, Is.LessThan(400));
        Assert.That((await engine.CompleteAsync(Request(1))).Tokens, Is.Not.Empty);
    }

    [Test]
    public async Task Disposing_finishes_what_runs()
    {
        RealignmentEngine other = await RealignmentEngine.LoadAsync(Pairs.Bundled());
        Task<GenerationResult>[] running = [.. Enumerable.Range(0, 5).Select(i => other.CompleteAsync(Request(0.5f + i)))];
        await other.DisposeAsync();
        foreach (GenerationResult result in await Task.WhenAll(running))
        {
            Assert.That(result.Tokens, Is.Not.Empty);
        }

        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await other.CompleteAsync(Request(1)));
    }

    [Test]
    public void Requests_that_cannot_be_served_are_refused_with_the_facts()
    {
        Refused(Request(float.NaN), "lambda");
        Refused(Request(1) with { PromptTokens = [] }, "prompt");
        Refused(Request(1) with { PromptTokens = [1_000_000] }, "1000000");
        Refused(Request(1) with { MaxTokens = 0 }, "max tokens");
        Refused(Request(1) with { TopTokens = 33 }, "top tokens");
        Refused(Request(1) with { StopTexts = [""] }, "stop text");
        Refused(Request(1) with { MaxTokens = 100_000 }, "8192");
        Refused(Request(1) with { Sampling = new SamplingOptions { MinP = 2 } }, "min-p");
        Refused(Request(1) with { Sampling = new SamplingOptions { RepetitionPenalty = 0 } }, "repetition");
        Refused(Request(1) with { Sampling = new SamplingOptions { LogitBias = new Dictionary<int, float> { [-1] = 0 } } }, "logit bias");
        Refused(Request(1e20f), "lambda");
        Refused(Request(1) with { Sampling = new SamplingOptions { Temperature = 1e-40f } }, "temperature");
        Refused(Request(1) with { Sampling = new SamplingOptions { RepetitionPenalty = 1e-30f } }, "repetition penalty");
        Refused(Request(1) with { Sampling = new SamplingOptions { PresencePenalty = -3e38f } }, "presence penalty");
        Refused(Request(1) with { PromptTokens = null! }, "prompt: expected a value");
        Refused(Request(1) with { Sampling = null! }, "sampling: expected a value");

        void Refused(GenerationRequest request, string named) =>
            Assert.That(() => engine.GenerateAsync(request), Throws.TypeOf<RequestException>().With.Message.Contains(named));
    }

    [Test]
    public void Models_of_different_tokens_are_refused_with_the_first_difference()
    {
        EngineOptions options = Pairs.Bundled() with { AlignedFolder = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()) };
        CopyWithOneTokenRenamed(Pairs.Bundled().AlignedFolder, options.AlignedFolder);
        Assert.That(async () => await RealignmentEngine.LoadAsync(options), Throws.TypeOf<PairMismatchException>().With.Message.Contains("<|human|>"));
        Directory.Delete(options.AlignedFolder, recursive: true);
    }

    [Test]
    public void A_device_that_is_not_there_is_refused() => Assert.That(
        async () => await RealignmentEngine.LoadAsync(Pairs.Bundled("cuda:9")), Throws.TypeOf<DeviceException>().With.Message.Contains("cuda:9"));

    [TestCase(DType.F32)]
    [TestCase(DType.F16)]
    public async Task Weights_can_be_stored_in_another_type(DType type)
    {
        await using RealignmentEngine other = await RealignmentEngine.LoadAsync(Pairs.Bundled() with { WeightType = type });
        GenerationRequest request = Request(0.5f) with { Sampling = SamplingOptions.Greedy, Statistics = true };
        GenerationResult expected = await engine.CompleteAsync(request), got = await other.CompleteAsync(request);
        Assert.That(got.Tokens, Is.EqualTo(expected.Tokens));

        // bf16 values are exact in f32, and in f16 unless they are smaller than 2^-24: only the order of summation differs.
        Assert.That(got.LogProb, Is.EqualTo(expected.LogProb).Within(1e-3));
    }

    private static void CopyWithOneTokenRenamed(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from))
        {
            string target = Path.Combine(to, Path.GetFileName(file));
            if (Path.GetFileName(file) == "tokenizer.json")
            {
                // The first special token under another name: no merge speaks of it.
                File.WriteAllText(target, File.ReadAllText(file).Replace("<|user|>", "<|human|>", StringComparison.Ordinal));
            }
            else
            {
                File.Copy(file, target);
            }
        }
    }

    private GenerationRequest Request(float lambda) => new()
    {
        PromptTokens = engine.Text.EncodeChat([new ChatMessage("user", Prompt)]),
        Lambda = lambda,
        Sampling = new SamplingOptions { Seed = 3 },
    };
}

using System.Globalization;

namespace DeRa.Cli.Tests.Cuda;

/// <summary>
/// Decode steps as CUDA graphs against the stub driver. What a graph runs is compared kernel by kernel (grids and arguments included) with what a driver
/// without graphs is told to run.
/// </summary>
internal sealed class CudaCaptureTests
{
    private const string GivenUp = "steps are not captured, each operation is launched by itself: ";

    private StubDriver driver = null!, plain = null!;
    private StubDriver.Outcome? launchedSix; // six tokens without graphs, which many tests compare with

    [OneTimeSetUp]
    public void Build() => (driver, plain) = (StubDriver.Build(), StubDriver.Build(hasGraphs: false));

    [OneTimeTearDown]
    public void Clean()
    {
        driver.Dispose();
        plain.Dispose();
    }

    /// <summary>Top-k and top-p settle their heads after the graph; top tokens are a buffer more.</summary>
    [TestCase("0.5")]
    [TestCase("1", "--top-k", "3", "--top-p", "0.9", "--repetition-penalty", "1.1", "--top-logprobs", "4")]
    public void A_shape_is_recorded_at_its_second_step_and_repeated_from_then_on(string lambda, params string[] more)
    {
        const int Tokens = 12;
        string[] arguments = [.. Generate(Tokens, lambda), .. more];
        StubDriver.Outcome captured = driver.Run(arguments), launched = plain.Run(arguments);
        Assert.That(captured.ExitCode, Is.Zero, captured.Error);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(captured.Of("capture"), Has.Length.EqualTo(1));
            Assert.That(captured.Of("graph"), Has.Length.EqualTo(Tokens - 2), "all steps but the prompt's and the first of the shape");
            Assert.That(captured.Log.SkipWhile(line => !line.StartsWith("capture", StringComparison.Ordinal)), Has.None.StartsWith("launch "));
            Assert.That(captured.Of("illegal"), Is.Empty);
            Assert.That(captured.Of("destroy"), Has.Length.EqualTo(1));
            Assert.That(captured.Kernels, Is.EqualTo(launched.Kernels));
            Assert.That(captured.Output, Is.EqualTo(launched.Output));
            Assert.That(captured.Error, Does.Not.Contain(GivenUp));
            Assert.That(launched.Error.Split(GivenUp), Has.Length.EqualTo(2), "said once");
            Assert.That(launched.Error, Does.Contain("has no cuStreamBeginCapture_v2"));
        }
    }

    /// <summary>Contexts of up to 256 positions are one class, those of up to 512 the next.</summary>
    [Test]
    public void A_longer_class_of_contexts_has_a_graph_of_its_own()
    {
        const int Prompt = 250, Tokens = 20;
        StubDriver.Outcome captured = driver.Run(Generate(Tokens, "0.5", Prompt)), launched = plain.Run(Generate(Tokens, "0.5", Prompt));
        Assert.That(captured.ExitCode, Is.Zero, captured.Error);
        int[] graphs = [.. captured.Of("graph").Select(line => int.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture))];
        using (Assert.EnterMultipleScope())
        {
            // The prompt's step draws the first token; contexts are Prompt + 1 and so on then. The first step of each class is launched.
            Assert.That(graphs.Count(graph => graph == 1), Is.EqualTo(256 - Prompt - 1));
            Assert.That(graphs.Count(graph => graph == 2), Is.EqualTo(Prompt + Tokens - 1 - 256 - 1));
            Assert.That(captured.Kernels, Is.EqualTo(launched.Kernels));
        }
    }

    /// <summary>A second prompt of several chunks joins late and stays longer: one sequence, steps with a chunk, two sequences, one again.</summary>
    [Test]
    public void Every_size_of_batch_has_its_graph()
    {
        string prompts = driver.File("prompts.jsonl");
        File.WriteAllLines(prompts, ["""{"tokens": [1, 2, 3]}""", $$"""{"tokens": [{{string.Join(", ", Enumerable.Range(0, 1300).Select(i => i % 100))}}]}"""]);
        string[] arguments = [.. Pair("generate"), "--prompts", prompts, "--lambda", "0.5", "--max-tokens", "12", "--ignore-eos", "--device", "cuda", "--json"];
        StubDriver.Outcome captured = driver.Run(arguments), launched = plain.Run(arguments);
        Assert.That(captured.ExitCode, Is.Zero, captured.Error);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(captured.Of("capture"), Has.Length.EqualTo(2));
            Assert.That(captured.Of("graph").Select(line => line.Split(' ')[1]).Distinct(), Is.EqualTo(new[] { "1", "2" }));
            Assert.That(captured.Of("illegal"), Is.Empty);
            Assert.That(captured.Of("destroy"), Has.Length.EqualTo(2));
            Assert.That(captured.Kernels, Is.EqualTo(launched.Kernels));
            Assert.That(captured.Output, Is.EqualTo(launched.Output));
        }
    }

    /// <summary>λ = 0, 0.5 and 1 are sections of their own, and each model has a batch of its own: a graph for the reference, and for the rest one up to each head.</summary>
    [Test]
    public void Several_heads_of_a_step_are_graphs_one_after_another()
    {
        StubDriver.Outcome captured = driver.Run(Generate(6, "0,0.5,1")), launched = plain.Run(Generate(6, "0,0.5,1"));
        Assert.That(captured.ExitCode, Is.Zero, captured.Error);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(captured.Of("capture"), Has.Length.GreaterThan(1));
            Assert.That(captured.Of("illegal"), Is.Empty);
            Assert.That(captured.Of("destroy"), Has.Length.EqualTo(captured.Of("capture").Length));
            Assert.That(captured.Kernels, Is.EqualTo(launched.Kernels));
            Assert.That(captured.Output, Is.EqualTo(launched.Output));
        }
    }

    [TestCase("begin", "cuStreamBeginCapture: error 801, operation not supported")]
    [TestCase("node", "kernel EmbedKernel")]
    [TestCase("end", "cuStreamEndCapture: error 901, operation failed due to a previous error during capture")]
    [TestCase("instantiate", "cuGraphInstantiate: error 2, out of memory")]
    [TestCase("launch", "cuGraphLaunch: error 2, out of memory")]
    public void Where_a_step_cannot_be_captured_it_is_launched(string failing, string why)
    {
        StubDriver.Outcome captured = driver.Run([("DERA_STUB_GRAPHS", failing)], Generate(6, "0.5"));
        launchedSix ??= plain.Run(Generate(6, "0.5"));
        Assert.That(captured.ExitCode, Is.Zero, captured.Error);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(captured.Error.Split(GivenUp), Has.Length.EqualTo(2), "said once");
            Assert.That(captured.Error, Does.Contain($"device cuda:0: {GivenUp}").And.Contain(why));
            Assert.That(captured.Of("graph"), Is.Empty);
            Assert.That(captured.Of("destroy"), Has.Length.EqualTo(failing == "launch" ? 1 : 0));
            Assert.That(captured.Launches.Select(line => line["launch ".Length..]), Is.EqualTo(launchedSix.Kernels));
            Assert.That(captured.Output, Is.EqualTo(launchedSix.Output));
        }
    }

    /// <summary>Nothing is asked of the driver's graphs, and nothing is said of them.</summary>
    [Test]
    public void Without_capture_every_operation_is_launched()
    {
        StubDriver.Outcome asked = driver.Run([.. Generate(6, "0.5"), "--no-capture"]);
        launchedSix ??= plain.Run(Generate(6, "0.5"));
        Assert.That(asked.ExitCode, Is.Zero, asked.Error);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(asked.Of("capture"), Is.Empty);
            Assert.That(asked.Of("graph"), Is.Empty);
            Assert.That(asked.Kernels, Is.EqualTo(launchedSix.Kernels));
            Assert.That(asked.Output, Is.EqualTo(launchedSix.Output));
            Assert.That(asked.Error, Does.Not.Contain(GivenUp));
        }
    }

    [Test]
    public void A_kernel_that_fails_in_a_graph_is_one_line()
    {
        launchedSix ??= plain.Run(Generate(6, "0.5"));
        int graph = launchedSix.Kernels.Length * 4 / 5; // the prompt's step and five more of one length: in the middle of the fourth of those
        StubDriver.Outcome outcome = driver.Run(
            [("DERA_STUB_FAIL", graph.ToString(CultureInfo.InvariantCulture))], Generate(6, "0.5"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(outcome.Of("graph"), Is.Not.Empty);
            Assert.That(outcome.Launches, Has.Length.LessThan(graph));
            Assert.That(outcome.ExitCode, Is.EqualTo(1));
            Assert.That(outcome.Error.Trim().Split('\n')[^1], Does.StartWith("dera: cuda:0 (Stub of sm_90): ").And.Contain("unspecified launch failure"));
        }
    }

    [Test]
    public void A_bench_counts_a_recorded_step_as_one_launch()
    {
        // Naive realignment runs one model, then the other, then mixes and draws with a launch each.
        Dictionary<string, long> captured = BenchLaunches(), launched = BenchLaunches("--no-capture");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(captured, Is.EquivalentTo(new Dictionary<string, long> { ["naive"] = 4, ["fused"] = 1 }));
            Assert.That(launched.Keys, Is.EquivalentTo(captured.Keys));
            Assert.That(launched.Values, Has.All.GreaterThan(10), "each operation of two layers");
        }
    }

    /// <summary>Steps do not wait for what they write: no two writes that are on their way share memory. 28 chunks go around the memory for it more than once.</summary>
    [Test]
    public void What_a_step_reads_is_what_was_written_however_late_it_is_copied()
    {
        string prompts = driver.File("long.jsonl");
        File.WriteAllText(prompts, $$"""{"tokens": [{{string.Join(", ", Enumerable.Range(0, 14000).Select(i => i % 100))}}]}""");
        string[] arguments = [.. Pair("generate"), "--prompts", prompts, "--lambda", "0.5", "--max-tokens", "2", "--ignore-eos", "--device", "cuda", "--json"];
        StubDriver.Outcome late = driver.Run([("DERA_STUB_COPIES", "late")], arguments), early = driver.Run(arguments);
        Assert.That(late.ExitCode, Is.Zero, late.Error);
        Assert.That(early.Of("copy").Sum(line => long.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture)), Is.GreaterThan(1 << 20));
        Assert.That(late.Of("copy"), Is.EqualTo(early.Of("copy")));
    }

    private Dictionary<string, long> BenchLaunches(params string[] more)
    {
        string[] arguments =
            [.. Pair("bench"), "--workload", "decode", "--mode", "naive,fused", "--batch", "2", "--context", "20", "--repeats", "5", "--device", "cuda", "--json", .. more];
        return driver.Run(arguments).Lines.Where(line => line.TryGetProperty("mode", out _))
            .ToDictionary(line => line.GetProperty("mode").GetString()!, line => line.GetProperty("launches_per_run").GetInt64());
    }

    private static string[] Generate(int tokens, string lambda, int prompt = 3) =>
    [
        .. Pair("generate"), "--tokens", string.Join(',', Enumerable.Range(1, prompt).Select(i => i % 100)), "--lambda", lambda, "--max-tokens", tokens.ToString(CultureInfo.InvariantCulture), "--ignore-eos",
        "--device", "cuda", "--json",
    ];

    private static string[] Pair(string command)
    {
        string pair = Path.Combine(Golden.Models, "qwen2_tied_bf16");
        return [command, "--reference", Path.Combine(pair, "ref"), "--aligned", Path.Combine(pair, "aligned")];
    }
}

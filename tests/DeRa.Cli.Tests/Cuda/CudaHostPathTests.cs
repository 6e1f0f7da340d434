using System.Text.Json;
using DeRa.Models.Tests;

namespace DeRa.Cli.Tests.Cuda;

/// <summary>
/// The CUDA host path from end to end against a stub driver: two devices are found, memory is taken and given back, every kernel compiles for its device's
/// architecture and is launched, and what fails is one clear line.
/// </summary>
internal sealed class CudaHostPathTests
{
    private StubDriver driver = null!;

    [OneTimeSetUp]
    public void Build() => driver = StubDriver.Build();

    [OneTimeTearDown]
    public void Clean() => driver.Dispose();

    [Test]
    public void Every_device_is_listed_with_its_kernels()
    {
        JsonElement[] cuda = [.. driver.Run("devices", "--json").Lines.Where(d => d.GetProperty("device").GetString()!.StartsWith("cuda", StringComparison.Ordinal))];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(cuda.Select(d => d.GetProperty("device").GetString()), Is.EqualTo(new[] { "cuda:0", "cuda:1" }));
            Assert.That(cuda.Select(d => d.GetProperty("usable").GetBoolean()), Is.All.True);
            Assert.That(cuda.Select(d => d.GetProperty("chosen").GetBoolean()), Is.EqualTo(new[] { true, false }));
            Assert.That(cuda[0].GetProperty("kernels").GetString(), Does.Contain("Linear").And.Contain("bf16, f16"));
            Assert.That(cuda[1].GetProperty("kernels").GetString(), Does.Contain("Linear").And.Not.Contain("bf16"));
        }
    }

    /// <summary>A bf16 model on sm_90 runs on the set's own kernels, an f16 model on sm_75 as well, and bf16 on sm_75 falls to Portable.</summary>
    [TestCase("qwen2_tied_bf16", "cuda:0", 0, "sm_90", true)]
    [TestCase("mistral_sliding_f16", "cuda:1", 1, "sm_75", true)]
    [TestCase("qwen2_tied_bf16", "cuda:1", 1, "sm_75", false)]
    public void A_model_runs_on_the_device_asked_for(string model, string device, int index, string target, bool onTensorCores)
    {
        string output = driver.File("logits.bin");
        StubDriver.Outcome outcome = driver.Run("logits", "--model", Path.Combine(Golden.Models, model, "ref"), "--tokens", "1,2,3", "--device", device, "--out", output);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        long vocabulary = Golden.Read(Path.Combine(Golden.Models, model, "ref", "config.json")).GetProperty("vocab_size").GetInt64();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(new FileInfo(output).Length, Is.EqualTo(4 * 3 * vocabulary));
            Assert.That(outcome.Launches, Is.Not.Empty);
            Assert.That(outcome.Launches, Is.All.StartsWith($"launch {index} {target} "));

            // Attention on tensor cores is the one kernel with groups of one warp.
            Assert.That(outcome.Launches.Any(l => l.Contains(" 32 0 ", StringComparison.Ordinal)), Is.EqualTo(onTensorCores));
        }
    }

    [Test]
    public void Generating_launches_both_models_and_the_head()
    {
        string pair = Path.Combine(Golden.Models, "qwen2_tied_bf16");
        StubDriver.Outcome outcome = driver.Run(
            "generate", "--reference", Path.Combine(pair, "ref"), "--aligned", Path.Combine(pair, "aligned"), "--tokens", "1,2,3", "--max-tokens", "2",
            "--ignore-eos", "--device", "cuda", "--json");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        Assert.That(outcome.Launches, Is.Not.Empty);
    }

    /// <summary>Hidden and inner widths that are no multiple of eight take the launches of widths that are: no projection falls to one of its own.</summary>
    [Test]
    public void Widths_of_any_length_take_the_same_launches()
    {
        (string[] any, string[] eights) = (Kernels(36, 37), Kernels(40, 48));
        Assert.That(any, Is.Not.Empty);
        Assert.That(any, Is.EqualTo(eights));

        string[] Kernels(int hidden, int inner)
        {
            using var model = new TinyCheckpoint(
                $$"""
                {
                    "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": {{hidden}}, "intermediate_size": {{inner}},
                    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "num_hidden_layers": 2, "vocab_size": 123, "hidden_act": "silu",
                    "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": true, "bos_token_id": 1, "eos_token_id": 2
                }
                """,
                dtype: _ => "BF16");
            StubDriver.Outcome outcome = driver.Run(
                "generate", "--reference", model.Path, "--aligned", model.Path, "--tokens", string.Join(',', Enumerable.Range(3, 20)), "--max-tokens", "2", "--ignore-eos",
                "--device", "cuda", "--json");
            Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
            return [.. outcome.Kernels.Select(line => string.Join(' ', line.Split(' ')[..5]))]; // device, target, name, grid, group
        }
    }

    [Test]
    public void A_device_that_is_not_there_is_named()
    {
        StubDriver.Outcome outcome = driver.Run("selftest", "--device", "cuda:2");
        Assert.That(outcome.ExitCode, Is.EqualTo(1));
        Assert.That(outcome.Error, Does.Contain("'cuda:2'").And.Contain("cuda:1 (Stub of sm_75)"));
    }

    [TestCase("20000", "the weights take", "the device has 20000 bytes", "--device cpu")]
    [TestCase("300000", "bytes asked for", "300000", "out of memory")]
    public void Too_little_memory_is_one_line_with_the_figures(string memory, params string[] said)
    {
        StubDriver.Outcome outcome = driver.Run(
            [("DERA_STUB_MEMORY", memory)], "logits", "--model", Path.Combine(Golden.Models, "qwen2_tied_bf16", "ref"), "--tokens", "1,2,3", "--device",
            "cuda", "--out", driver.File("none.bin"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(outcome.ExitCode, Is.EqualTo(1));
            Assert.That(outcome.Error.Trim().Split('\n')[^1], Does.StartWith("dera: cuda:0 (Stub of sm_90): "));
            Assert.That(said.Where(what => !outcome.Error.Contains(what, StringComparison.Ordinal)), Is.Empty, outcome.Error);
            Assert.That(File.Exists(driver.File("none.bin")), Is.False);
        }
    }

    [Test]
    public void A_launch_that_fails_is_one_line_with_the_kernel()
    {
        StubDriver.Outcome outcome = driver.Run(
            [("DERA_STUB_FAIL", "3")], "logits", "--model", Path.Combine(Golden.Models, "qwen2_tied_bf16", "ref"), "--tokens", "1,2,3", "--device", "cuda",
            "--out", driver.File("none.bin"));
        Assert.That(outcome.ExitCode, Is.EqualTo(1));
        Assert.That(outcome.Error.Trim().Split('\n')[^1], Does.StartWith("dera: cuda:0: kernel ").And.Contain("failed"));
    }
}

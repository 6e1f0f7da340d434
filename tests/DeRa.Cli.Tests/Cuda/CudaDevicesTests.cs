using System.Globalization;
using System.Text.RegularExpressions;
using DeRa.Benchmarks;
using DeRa.Checkpoints;

namespace DeRa.Cli.Tests.Cuda;

/// <summary>Cards as people have them, by the stub driver: of any architecture, several, too small, and loaded through page-locked memory.</summary>
internal sealed partial class CudaDevicesTests
{
    private static readonly string Pair = Path.Combine(Golden.Models, "qwen2_tied_bf16");
    private static readonly string[] Request =
    [
        "generate", "--reference", Path.Combine(Pair, "ref"), "--aligned", Path.Combine(Pair, "aligned"), "--tokens", "1,2,3", "--lambda", "0.5",
        "--ignore-eos", "--json",
    ];

    private StubDriver driver = null!;

    [OneTimeSetUp]
    public void Build() => driver = StubDriver.Build();

    [OneTimeTearDown]
    public void Clean() => driver.Dispose();

    /// <summary>ILGPU alone would say sm_80 for all of the newer ones. The last driver does not know its card's architecture yet.</summary>
    [TestCase("8.0", "11040", "sm_80")]
    [TestCase("8.9", "12040", "sm_89")]
    [TestCase("10.0", "12080", "sm_100")]
    [TestCase("12.0", "12080", "sm_120")]
    [TestCase("12.1", "13000", "sm_121")]
    [TestCase("12.1", "12080", "sm_120")]
    public void Kernels_are_compiled_for_the_cards_own_architecture(string capability, string version, string target)
    {
        StubDriver.Outcome outcome = Logits([("DERA_STUB_DEVICES", capability), ("DERA_STUB_DRIVER", version)], "qwen2_tied_bf16", "cuda");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        Assert.That(outcome.Kernels, Is.Not.Empty.And.All.StartsWith($"0 {target} "));
    }

    [Test]
    public void A_driver_too_old_for_the_kernels_is_named()
    {
        StubDriver.Outcome outcome = Logits([("DERA_STUB_DEVICES", "8.0"), ("DERA_STUB_DRIVER", "11000")], "qwen2_tied_bf16", "cuda");
        Assert.That(outcome.ExitCode, Is.EqualTo(1));
        Assert.That(LastLine(outcome), Does.Contain("cannot run: driver").And.Contain("7.4 (CUDA 11.4) or newer needed"));
    }

    /// <summary>Each model's kernels run on its own card; what a thread launches goes to the context that it set.</summary>
    [Test]
    public void Each_model_runs_on_its_card()
    {
        StubDriver.Outcome outcome = Generate([("DERA_STUB_DEVICES", "9.0,8.6,7.5")], "--max-tokens", "6", "--reference-device", "cuda:0", "--aligned-device", "cuda:1");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        Assert.That(outcome.Kernels, Is.All.StartsWith("0 sm_90 ").Or.StartsWith("1 sm_86 "));
        int first = outcome.Kernels.Count(kernel => kernel.StartsWith("0 ", StringComparison.Ordinal));
        Assert.That(outcome.Of("capture"), Has.Length.GreaterThan(1), "steps of both are captured");
        Assert.That(outcome.Of("illegal"), Is.Empty);
        Assert.That(outcome.Kernels.Length - first, Is.GreaterThan(first).And.LessThan(2 * first), "as many for the layers, and the head");
    }

    [TestCase("--reference-device", "--aligned-device")]
    [TestCase("--aligned-device", "--reference-device")]
    public void A_card_beside_the_processor_runs_the_head(string onCard, string onProcessor)
    {
        StubDriver.Outcome alone = Logits([], "qwen2_tied_bf16", "cuda:0"), outcome = Generate([], onCard, "cuda:0", onProcessor, "cpu");
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        Assert.That(outcome.Kernels, Is.All.StartsWith("0 sm_90 "));
        Assert.That(outcome.Kernels.Select(Name), Does.Contain("RealignHead").Or.Not.SubsetOf(alone.Kernels.Select(Name)), "a kernel that one model alone does not have");
    }

    [Test]
    public void Weights_arrive_whole_through_two_locked_buffers()
    {
        using PairFolders folders = PairFolders.Random(ModelShape.All.First(shape => shape.Name == "15m")); // its embedding is longer than a buffer
        StubDriver.Outcome outcome = Load(folders.Reference, [("DERA_STUB_COPIES", "late")]); // a buffer filled again too early would show
        string[] order = [.. outcome.Log.Where(line => line.StartsWith("pin ", StringComparison.Ordinal) || line is "unpin" || line.StartsWith("launch ", StringComparison.Ordinal))];
        Assert.That(order.Take(4), Is.EqualTo(new[] { "pin 16777216", "pin 16777216", "unpin", "unpin" }), "given back before the first kernel");
        Assert.That(order.Skip(4), Has.None.EqualTo("pin 16777216"));
        Assert.That(Tensors(folders.Reference).Except(outcome.Of("free")), Is.Empty);
    }

    [TestCase("0")]
    [TestCase("1")]
    public void Without_locked_memory_weights_arrive_too_and_a_line_says_why(string pins)
    {
        string folder = Path.Combine(Pair, "ref");
        StubDriver.Outcome outcome = Load(folder, [("DERA_STUB_PINS", pins)]);
        Assert.That(outcome.Error, Does.Contain("cuda:0: weights are loaded through pageable memory, which is slower; no pages could be locked: "));
        Assert.That(outcome.Of("pin"), Has.Length.EqualTo(int.Parse(pins, CultureInfo.InvariantCulture)));
        Assert.That(outcome.Log.Count(line => line == "unpin"), Is.EqualTo(outcome.Of("pin").Length));
        Assert.That(Tensors(folder).Except(outcome.Of("free")), Is.Empty);
    }

    /// <summary>The estimate of the first refusal says how much memory leaves room for half of the caches; what is then said to fit does.</summary>
    [Test]
    public void A_pair_that_does_not_fit_is_refused_with_its_estimate_and_what_would_fit()
    {
        Match much = Refused(memory: 2_000_000, samples: 1000);
        long memory = (long)((Mebibytes(much, "total") - (Mebibytes(much, "caches") / 2)) * (1 << 20));
        Match half = Refused(memory, samples: 1000);
        int positions = int.Parse(half.Groups["fits"].Value, CultureInfo.InvariantCulture);
        Assert.That(positions, Is.InRange(7000, 9000), "about half of 16000");
        StubDriver.Outcome fits = Sample(memory, positions / 16, contents: true);
        Assert.That(fits.ExitCode, Is.Zero, fits.Error);
        Assert.That(long.Parse(fits.Of("peak").Single()[5..], CultureInfo.InvariantCulture), Is.LessThanOrEqualTo(memory));

        Match Refused(long memory, int samples)
        {
            StubDriver.Outcome refused = Sample(memory, samples, contents: false);
            Assert.That(refused.ExitCode, Is.EqualTo(1));
            Assert.That(refused.Log, Is.Empty, "before anything is loaded");
            Match said = Estimate().Match(LastLine(refused));
            Assert.That(said.Success, Is.True, LastLine(refused));
            Assert.That(memory > 20_000_000, Is.EqualTo(LastLine(refused).Contains("--reference-device and --aligned-device, two devices like this: ", StringComparison.Ordinal)));
            return said;
        }

        StubDriver.Outcome Sample(long memory, int samples, bool contents) => driver.Run(
            [("DERA_STUB_MEMORY", memory.ToString(CultureInfo.InvariantCulture)), .. contents ? new[] { ("DERA_STUB_CONTENTS", "1") } : []],
            [.. Request, "--max-tokens", "2", "--samples", samples.ToString(CultureInfo.InvariantCulture), "--device", "cuda:0"]);

        static double Mebibytes(Match said, string what) => double.Parse(said.Groups[what].Value, CultureInfo.InvariantCulture);
    }

    private StubDriver.Outcome Load(string folder, (string, string)[] environment)
    {
        StubDriver.Outcome outcome = driver.Run(
            [.. environment, ("DERA_STUB_CONTENTS", "1")], "logits", "--model", folder, "--tokens", "1,2", "--device", "cuda:0", "--out", driver.File("logits.bin"));
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        return outcome;
    }

    private StubDriver.Outcome Logits((string, string)[] environment, string model, string device) => driver.Run(
        environment, "logits", "--model", Path.Combine(Golden.Models, model, "ref"), "--tokens", "1,2,3", "--device", device, "--out", driver.File("logits.bin"));

    private StubDriver.Outcome Generate((string, string)[] environment, params string[] where) =>
        driver.Run(environment, [.. Request, .. where.Contains("--max-tokens") ? [] : new[] { "--max-tokens", "2" }, .. where]);

    /// <summary>What the stub says of memory that a tensor was in: its bytes, and zeros up to a multiple of 256.</summary>
    private static string[] Tensors(string folder)
    {
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        return [.. checkpoint.Weights.All().Select(tensor =>
        {
            long whole = (tensor.ByteLength + 255) / 256 * 256;
            ulong hash = 14695981039346656037; // FNV-1a
            for (long i = 0; i < whole; i++)
            {
                byte value = i < tensor.ByteLength ? tensor.Bytes(i, 1)[0] : (byte)0;
                hash = (hash ^ value) * 1099511628211;
            }

            return string.Create(CultureInfo.InvariantCulture, $"free {whole} {hash:x16}");
        })];
    }

    private static string LastLine(StubDriver.Outcome outcome) => outcome.Error.Trim().Split('\n')[^1];

    private static string Name(string kernel) => kernel.Split(' ')[2];

    [GeneratedRegex(@"^dera: cuda:0 \(Stub of sm_90\): the models take (?<total>[0-9.]+) MiB: .* of weights, (?<caches>[0-9.]+) MiB of caches for 16000 positions, .* of activations and scratch; the device has .*What would fit: (none|caches of (?<fits>[0-9]+) positions|.)")]
    private static partial Regex Estimate();
}

using System.Globalization;

namespace DeRa.Cli.Tests.Cuda;

/// <summary>
/// The choice of wgmma on compute capability 9.0 as the host makes it, against the stub driver: on it kernels compute nothing, so the comparison with mma.sync
/// proves nothing and mma.sync stays.
/// </summary>
internal sealed class CudaWarpgroupTests
{
    private const string Said = "device cuda:0: BF16 projections of more than 16 rows: mma.sync, not wgmma";

    private static readonly string Reference = Path.Combine(Golden.Models, "qwen2_tied_bf16", "ref");

    private StubDriver driver = null!;

    [OneTimeSetUp]
    public void Build() => driver = StubDriver.Build();

    [OneTimeTearDown]
    public void Clean() => driver.Dispose();

    /// <summary>Their target, groups of 256 and 384, and shared memory that the kernels asked for first. Nothing is timed.</summary>
    [Test]
    public void The_comparison_runs_all_and_a_driver_that_computes_nothing_proves_nothing()
    {
        StubDriver.Outcome outcome = Logits([]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        Assert.That(Lines(outcome), Is.EqualTo(new[] { Said + " or wgmma with roles: the device computed nothing to compare with" }));
        string[] specific = [.. outcome.Kernels.Where(kernel => kernel.StartsWith("0 sm_90a ", StringComparison.Ordinal))];
        Assert.That(specific.Select(launch => launch.Split(' ')[4..6]), Is.EqualTo(new[] { new[] { "256", "197632" }, ["384", "197632"] }), "the first shape settles it");
        Assert.That(outcome.Kernels.Except(specific), Is.All.StartsWith("0 sm_90 "));
    }

    [Test]
    public void Code_that_the_driver_refuses_is_said_once()
    {
        StubDriver.Outcome outcome = Logits([("DERA_STUB_REFUSES", "sm_90a")]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        Assert.That(Lines(outcome), Has.Length.EqualTo(1));
        Assert.That(Lines(outcome)[0], Does.StartWith(Said + ": cuda:0 ").And.EndsWith("does not compile: a PTX JIT compilation failed; PTX Kernel loading failed:"));
        Assert.That(Lines(outcome)[0], Does.Contain(", not wgmma with roles: "));
        Assert.That(outcome.Kernels, Is.Not.Empty.And.All.StartsWith("0 sm_90 "));
    }

    [Test]
    public void A_driver_that_does_not_know_the_instructions_is_named()
    {
        StubDriver.Outcome outcome = Logits([("DERA_STUB_DRIVER", "11080")]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        Assert.That(Lines(outcome), Is.EqualTo(new[] { Said + " or wgmma with roles: the driver knows PTX 7.8, 8.0 needed" }));
        Assert.That(outcome.Kernels, Has.None.Contains("sm_90a"));
    }

    [Test]
    public void It_can_be_switched_off()
    {
        StubDriver.Outcome outcome = Logits([("DERA_WGMMA", "off")]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        Assert.That(Lines(outcome), Is.Empty);
        Assert.That(outcome.Kernels, Is.Not.Empty.And.All.StartsWith("0 sm_90 "));
    }

    /// <summary>Its multipliers would wait for ever for registers that the group does not have, so it is not launched.</summary>
    [Test]
    public void A_kernel_with_fewer_registers_than_it_hands_over_is_not_launched()
    {
        StubDriver.Outcome outcome = Logits([("DERA_WGMMA", "roles"), ("DERA_STUB_REGISTERS", "160")]);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        Assert.That(Lines(outcome), Has.Length.EqualTo(1));
        Assert.That(Lines(outcome)[0], Does.EndWith("the driver compiled it with 160 registers, 168 needed"));
        Assert.That(outcome.Kernels, Is.Not.Empty.And.All.StartsWith("0 sm_90 "));
    }

    [Test]
    public void A_switch_of_another_name_is_an_error()
    {
        StubDriver.Outcome outcome = Logits([("DERA_WGMMA", "no")]);
        Assert.That(outcome.ExitCode, Is.EqualTo(1));
        Assert.That(outcome.Error.Trim().Split('\n')[^1], Is.EqualTo("dera: the environment variable DERA_WGMMA is 'no'; on, off, plain or roles was expected"));
    }

    private StubDriver.Outcome Logits((string, string)[] environment) => driver.Run(
        environment, "logits", "--model", Reference, "--tokens", string.Join(',', Enumerable.Range(1, 20).Select(i => i.ToString(CultureInfo.InvariantCulture))),
        "--device", "cuda:0", "--out", driver.File("logits.bin"));

    private static string[] Lines(StubDriver.Outcome outcome) => [.. outcome.Error.Split('\n').Where(line => line.Contains("wgmma", StringComparison.Ordinal))];
}

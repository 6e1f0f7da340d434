using DeRa.Kernels;

namespace DeRa.Cli.Tests;

/// <summary><c>--reference-device</c> and <c>--aligned-device</c>: what runs where, and what is refused.</summary>
internal sealed class TwoDevicesTests
{
    private const string Text = """{"tokens": [5, 9, 2, 7, 30, 31], "from": 2}""";
    private static readonly string[] Pair = Sides("llama_basic", "ref", "aligned");

    [Test]
    public void The_same_device_twice_changes_nothing()
    {
        string[] request = ["generate", .. Pair, "--tokens", "5,9,2", "--lambda", "0,0.5,1.7", "--max-tokens", "12", "--ignore-eos", "--json"];
        Dera.Outcome expected = Dera.Run([.. request, "--device", "cpu"]);
        Dera.Outcome twice = Dera.Run([.. request, "--reference-device", "cpu", "--aligned-device", "cpu"]);
        Assert.That(twice.ExitCode, Is.Zero, twice.Error);
        Assert.That(twice.Output, Is.EqualTo(expected.Output));
        Assert.That(twice.Error.Split('\n').Count(line => line.StartsWith("device ", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    /// <summary>One flag alone moves one model, the other stays on <c>--device</c>.</summary>
    [Test]
    public void Scoring_runs_where_the_models_were_put()
    {
        RequireOpenCl();
        Dera.Outcome score = Dera.Run(["score", .. Pair, "--lambda", "0,0.5,1", "--device", "cpu", "--aligned-device", "opencl:0"], Text);
        Assert.That(score.ExitCode, Is.Zero, score.Error);
        Assert.That(score.Error, Does.Contain("device cpu: ").And.Contain("device opencl:0: "));
        Dera.Outcome alone = Dera.Run(["score", .. Pair, "--lambda", "0,0.5,1", "--device", "cpu"], Text);
        double[][] apart = LogProbs(score), expected = LogProbs(alone);
        for (int i = 0; i < apart.Length; i++)
        {
            Assert.That(apart[i], Is.EqualTo(expected[i]).Within(1e-3));
        }
    }

    [Test]
    public void Generating_runs_where_the_models_were_put()
    {
        RequireOpenCl();
        string[] request = ["generate", .. Pair, "--tokens", "5,9,2", "--temperature", "0", "--lambda", "0.5", "--max-tokens", "4", "--json"];
        Dera.Outcome generate = Dera.Run([.. request, "--device", "cpu", "--reference-device", "opencl:0"]);
        Assert.That(generate.ExitCode, Is.Zero, generate.Error);
        Assert.That(generate.Output, Does.Contain("\"tokens\":[50,22,141,251]"));
    }

    [Test]
    public void A_name_of_another_form_is_a_mistake_of_the_command_line()
    {
        Dera.Outcome result = Dera.Run(["generate", .. Pair, "--tokens", "1", "--aligned-device", "gpu"]);
        Assert.That(result.ExitCode, Is.EqualTo(2));
        Assert.That(result.Error, Does.Contain("--aligned-device: expected auto, cpu, opencl[:number] or cuda[:number], found 'gpu'"));
    }

    [Test]
    public void What_two_devices_cannot_do_is_one_line()
    {
        RequireOpenCl();
        string[] one = Sides("llama_basic", "ref", "ref");
        Dera.Outcome single = Dera.Run(["generate", .. one, "--tokens", "1", "--device", "cpu", "--aligned-device", "opencl:0"]);
        Assert.That(single.ExitCode, Is.EqualTo(1));
        Assert.That(single.Error, Does.Contain("dera: one model alone runs on one device: cpu and opencl:0 were asked for"));
        Dera.Outcome bench = Dera.Run(["bench", "--workload", "decode", "--device", "cpu", "--aligned-device", "opencl:0", "--against", "cpu"]);
        Assert.That(bench.ExitCode, Is.EqualTo(2));
        Assert.That(bench.Error, Does.Contain("--against cpu: expected a pair on one device, found cpu+opencl:0"));
    }

    [Test]
    public void Bench_measures_two_devices()
    {
        RequireOpenCl();
        Dera.Outcome result = Dera.Run(
            ["bench", .. Pair, "--workload", "decode", "--batch", "2", "--context", "8", "--mode", "fused",
            "--reference-device", "cpu", "--aligned-device", "opencl:0", "--json"]);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Lines.Select(line => line.GetProperty("device").GetString()), Is.All.EqualTo("cpu+opencl:0"));
    }

    private static string[] Sides(string model, string reference, string aligned) =>
        ["--reference", Path.Combine(Golden.Models, model, reference), "--aligned", Path.Combine(Golden.Models, model, aligned)];

    private static double[][] LogProbs(Dera.Outcome score) =>
    [
        .. score.Lines[0].GetProperty("lambdas").EnumerateArray()
            .Select(lambda => lambda.GetProperty("token_logprobs").EnumerateArray().Select(value => value.GetDouble()).ToArray()),
    ];

    private static void RequireOpenCl()
    {
        if (!DeviceCatalog.List().Any(candidate => candidate.IsUsable && candidate.Description.Id == "opencl:0"))
        {
            Absent.Skip("no usable opencl:0 device on this machine");
        }
    }
}

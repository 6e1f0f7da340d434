using System.Text.Json;

namespace DeRa.Cli.Tests;

/// <summary><c>dera bench</c> over a golden pair: shapes of its output, and wrong usage. No figure is checked.</summary>
public sealed class BenchTests
{
    private static readonly string[] Pair =
        ["--reference", Path.Combine(Golden.Models, "llama_basic", "ref"), "--aligned", Path.Combine(Golden.Models, "llama_basic", "aligned")];

    [Test]
    public void Json_has_a_line_of_ceilings_and_one_per_measurement()
    {
        string page = Path.Combine(Path.GetTempPath(), $"bench-{Guid.NewGuid():N}.html");
        try
        {
            JsonElement[] lines = Dera.Done(["bench", .. Pair, "--device", "cpu", "--workload", "decode", "--batch", "1,2", "--context", "8", "--json", "--html", page]).Lines;
            Assert.That(lines[0].GetProperty("read_bytes_per_second").GetDouble(), Is.Positive);
            Assert.That(lines[0].GetProperty("flops_per_second").GetDouble(), Is.Positive);
            Assert.That(
                lines[1..].Select(line => (line.GetProperty("batch").GetInt32(), line.GetProperty("mode").GetString())),
                Is.EqualTo(new[] { (1, "single"), (1, "naive"), (1, "fused"), (2, "single"), (2, "naive"), (2, "fused") }));
            Assert.That(lines[1].EnumerateObject().Select(property => property.Name), Is.EquivalentTo(new[]
            {
                "device", "model", "workload", "case", "batch", "context", "tokens", "lambdas", "vocabulary", "rows", "mode", "repeats", "median_seconds",
                "min_seconds", "max_seconds", "tokens_per_second", "bytes", "flops", "bytes_per_token", "flops_per_token", "bytes_per_second",
                "flops_per_second", "share_of_bandwidth", "share_of_peak", "floor_seconds", "share_of_floor", "bound", "launches_per_run",
                "peak_memory_bytes", "fusion", "share_of_peer", "against", "ceiling_bytes_per_second", "ceiling_flops_per_second",
            }));
            Assert.That(lines[1].GetProperty("fusion").ValueKind, Is.EqualTo(JsonValueKind.Null));
            Assert.That(lines[3].GetProperty("fusion").GetProperty("verdict").GetString(), Is.AnyOf("faster", "no-difference", "slower"));
            Assert.That(lines[1..].Select(line => line.GetProperty("ceiling_bytes_per_second").GetDouble()), Is.All.Positive);
            Assert.That(
                lines[1..4].Select(line => line.GetProperty("ceiling_bytes_per_second").GetDouble()).Distinct().Single(),
                Is.Not.EqualTo(lines[4].GetProperty("ceiling_bytes_per_second").GetDouble()), "measured for each case");
            Assert.That(File.ReadAllText(page), Does.Contain("<svg"));
        }
        finally
        {
            File.Delete(page);
        }
    }

    [Test]
    public void Only_the_modes_asked_for_are_measured()
    {
        JsonElement[] lines = Dera.Done(["bench", .. Pair, "--device", "cpu", "--workload", "decode,prefill,score", "--batch", "1", "--prompt-tokens", "5", "--mode", "fused,single", "--json"]).Lines;
        Assert.That(
            lines[1..].Select(line => (line.GetProperty("workload").GetString(), line.GetProperty("mode").GetString())).Distinct(),
            Is.EqualTo(new[] { ("decode", "single"), ("decode", "fused"), ("prefill", "single"), ("prefill", "fused"), ("score", "fused") }));
        Assert.That(lines[2].GetProperty("fusion").ValueKind, Is.EqualTo(JsonValueKind.Null), "nothing to compare with");
    }

    [Test]
    public void A_mode_that_nothing_offers_is_named()
    {
        Dera.Outcome outcome = Dera.Run(["bench", .. Pair, "--device", "cpu", "--workload", "score", "--mode", "single,pair"]);
        Assert.That(outcome.ExitCode, Is.EqualTo(2));
        Assert.That(outcome.Error, Does.EndWith("dera: --mode single,pair: no case of --workload score offers it for this pair" + Environment.NewLine));
    }

    [Test]
    public void Serving_has_a_line_per_case()
    {
        JsonElement[] lines =
            Dera.Done(["bench", .. Pair, "--device", "cpu", "--workload", "serve", "--requests", "6", "--concurrency", "1,3", "--rate", "200", "--json"]).Lines;
        Assert.That(lines, Has.Length.EqualTo(4), "the ceilings and three cases");
        foreach (JsonElement line in lines[1..])
        {
            Assert.That(line.GetProperty("requests").GetInt32(), Is.EqualTo(6));
            Assert.That(line.GetProperty("generated_tokens").GetInt32(), Is.EqualTo(lines[1].GetProperty("generated_tokens").GetInt32()).And.Positive);
            Assert.That(line.GetProperty("time_to_first_token").GetProperty("p99").GetDouble(), Is.GreaterThanOrEqualTo(line.GetProperty("time_to_first_token").GetProperty("p50").GetDouble()));
        }

        Assert.That(lines[1].GetProperty("concurrency").GetInt32(), Is.EqualTo(1));
        Assert.That(lines[3].GetProperty("rate").GetDouble(), Is.EqualTo(200));
    }

    [Test]
    public void Speculation_is_measured_beside_plain_decoding()
    {
        JsonElement[] lines = Dera.Done(["bench", .. Pair, "--device", "cpu", "--workload", "speculate", "--batch", "1,2", "--json"]).Lines;
        Assert.That(
            lines.Select(line => (line.GetProperty("batch").GetInt32(), line.GetProperty("mode").GetString())),
            Is.EqualTo(new[] { (1, "plain"), (1, "coupled"), (1, "ratio"), (2, "plain"), (2, "coupled"), (2, "ratio") }));
        Assert.That(lines[0].EnumerateObject().Select(property => property.Name), Is.EquivalentTo(new[]
        {
            "workload", "device", "model", "batch", "mode", "tokens", "repeats", "median_seconds", "min_seconds", "max_seconds", "acceptance",
            "passes_per_token", "speedup", "tokens_per_second",
        }));
        Assert.That(lines[0].GetProperty("acceptance").ValueKind, Is.EqualTo(JsonValueKind.Null));
        Assert.That(lines[1].GetProperty("acceptance").GetDouble(), Is.InRange(0.01, 0.99));
        Assert.That(lines[2].GetProperty("passes_per_token").GetDouble(), Is.InRange(1, 2.1));
    }

    [Test]
    public void The_page_has_every_workload_of_the_run()
    {
        string page = Path.Combine(Path.GetTempPath(), $"bench-{Guid.NewGuid():N}.html");
        try
        {
            Dera.Done(["bench", .. Pair, "--device", "cpu", "--workload", "decode,serve,speculate", "--mode", "fused", "--batch", "1", "--context", "8", "--requests", "3", "--concurrency", "2", "--rate", "200", "--html", page]);
            string[] sections = [.. File.ReadAllText(page).Split("<h2>")[1..].Select(section => section[..section.IndexOf('<', StringComparison.Ordinal)])];
            Assert.That(sections, Is.EqualTo(new[] { "decode", "serve", "speculate" }));
        }
        finally
        {
            File.Delete(page);
        }
    }

    [Test]
    public void A_page_that_could_not_be_written_is_said_before_anything_is_measured()
    {
        string file = Path.Combine(Path.GetTempPath(), $"no-{Guid.NewGuid():N}", "page.html");
        Dera.Outcome outcome = Dera.Run(["bench", .. Pair, "--device", "cpu", "--html", file]);
        Assert.That(outcome.ExitCode, Is.EqualTo(2));
        Assert.That(outcome.Error.Trim(), Is.EqualTo($"dera: {file}: expected a file in an existing folder, found no such folder"));
    }

    [TestCase("--mode quick", "--mode quick: expected a list of single, naive, fused, fused-shared-head, pair, found 'quick'")]
    [TestCase("--rate 0", "--rate 0: expected a list of numbers above 0, as in 2,8, found '0'")]
    [TestCase("--shape 7b", "--shape 7b: expected one of 15m, 110m, 1.1b, 3b, 8b")]
    [TestCase("--workload decode,speed", "--workload decode,speed: expected a list of load, decode, prefill, score, head, serve, speculate, found 'speed'")]
    [TestCase("--repeats 4", "--repeats 4: expected at least 5")]
    [TestCase("--peer mkl", "--peer mkl: expected openblas")]
    [TestCase("--batch 1,0", "--batch 1,0: expected a list of numbers of at least 1, as in 1,8, found '0'")]
    [TestCase("--reference x", "--aligned: expected beside --reference")]
    [TestCase("--shape 15m --reference x --aligned y", "--shape 15m: expected folders or a shape, found both")]
    public void Wrong_usage_is_one_line_and_code_2(string arguments, string message)
    {
        Dera.Outcome outcome = Dera.Run(["bench", .. arguments.Split(' ')]);
        Assert.That(outcome.ExitCode, Is.EqualTo(2));
        Assert.That(outcome.Error.Trim(), Is.EqualTo("dera: " + message));
    }
}

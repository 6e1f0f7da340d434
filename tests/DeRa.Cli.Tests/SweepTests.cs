using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace DeRa.Cli.Tests;

/// <summary><c>sweep</c> and <c>merge</c> with the bundled pair: files, resumption, shards, and what is wrong with inputs.</summary>
[NonParallelizable]
public sealed class SweepTests
{
    /// <summary>How often a sweep is killed; DERA_SWEEP_KILLS asks for more.</summary>
    private static readonly int Kills = int.Parse(Environment.GetEnvironmentVariable("DERA_SWEEP_KILLS") ?? "6", CultureInfo.InvariantCulture);

    private string folder = "";

    [SetUp]
    public void MakeFolder()
    {
        folder = Directory.CreateTempSubdirectory().FullName;
        File.WriteAllText(In("prompts.jsonl"), string.Concat(Enumerable.Range(1, 6).Select(i => $"{{\"id\": \"p{i}\", \"prompt\": \"Describe the market in the {(i % 2 == 0 ? "winter" : "morning")}.\"}}\n")));
        File.WriteAllText(In("words.txt"), "lovely\nsweet\nmerry\n");
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    private string In(string name) => Path.Combine(folder, name);

    private string[] Sweep(string output, params string[] more) =>
    [
        "sweep", "--device", "cpu", "--prompts", In("prompts.jsonl"), "--chat", "--output", In(output), "--lambda", "0,1,2", "--max-tokens", "8",
        "--reward", "lexicon:" + In("words.txt"), "--reward", "length:3-8", "--bootstrap", "200", .. more,
    ];

    [Test]
    public void Everything_is_written_and_a_second_run_changes_nothing()
    {
        Dera.Outcome outcome = Dera.Done(Sweep("a", "--beta", "0.1", "--samples", "2"));
        Assert.That(outcome.Output, Does.Contain("Take λ = ").And.Contain("β/λ"));
        string[] names = ["manifest.json", "report.html", "results.jsonl", "summary.csv", "summary.json", "summary.parquet"];
        Assert.That(Directory.GetFiles(In("a")).Select(Path.GetFileName).Order(), Is.EqualTo(names));
        Assert.That(File.ReadAllLines(In("a/results.jsonl")), Has.Length.EqualTo(6 * 3 * 2));

        Dictionary<string, byte[]> before = names.Where(name => name != "manifest.json").ToDictionary(name => name, name => File.ReadAllBytes(In("a/" + name)));
        Assert.That(Dera.Done(Sweep("a", "--beta", "0.1", "--samples", "2")).Error, Does.Contain("36 of 36 samples are there already"));
        foreach ((string name, byte[] bytes) in before)
        {
            Assert.That(File.ReadAllBytes(In("a/" + name)), Is.EqualTo(bytes), name);
        }
    }

    [Test]
    public void The_report_needs_nothing_from_elsewhere()
    {
        Dera.Done(Sweep("a"));
        string page = File.ReadAllText(In("a/report.html"));
        Assert.That(page, Does.Not.Contain("<script").And.Not.Contain("http").And.Not.Contain("NaN"));
        Assert.That(page, Does.Contain("<svg").And.Contain("prefers-color-scheme: dark"));
    }

    [Test]
    public void Neighbours_of_lambda_share_their_noise_unless_told_otherwise()
    {
        string[] same = ["sweep", "--device", "cpu", "--prompts", In("prompts.jsonl"), "--lambda", "0.5,0.500001", "--max-tokens", "12", "--reward", "length:1-2", "--bootstrap", "100"];
        Dera.Done([.. same, "--output", In("coupled")]);
        Dera.Done([.. same, "--output", In("independent"), "--independent"]);
        Assert.That(Texts("coupled", 0.5f), Is.EqualTo(Texts("coupled", 0.500001f)));
        Assert.That(Texts("independent", 0.5f), Is.Not.EqualTo(Texts("independent", 0.500001f)));

        string[] Texts(string output, float lambda) =>
        [
            .. File.ReadLines(In(output + "/results.jsonl")).Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement)
                .Where(line => line.GetProperty("lambda").GetSingle() == lambda).Select(line => line.GetProperty("text").GetString()!),
        ];
    }

    [Test]
    public void Shards_merge_into_the_bytes_of_the_whole()
    {
        Dera.Done(Sweep("whole"));
        Dera.Done(Sweep("one", "--shard", "1/2"));
        Dera.Done(Sweep("two", "--shard", "2/2", "--workers", "1"));
        Dera.Done(["merge", In("two"), In("one"), "--output", In("merged"), "--bootstrap", "200"]);
        foreach (string name in new[] { "results.jsonl", "summary.json", "summary.csv", "summary.parquet" })
        {
            Assert.That(File.ReadAllBytes(In("merged/" + name)), Is.EqualTo(File.ReadAllBytes(In("whole/" + name))), name);
        }

        Refused(["merge", In("one"), "--output", In("x")], "shard 2/2 is missing");
        Refused(["merge", In("one"), In("one"), "--output", In("x")], "and so is");
        Refused(["merge", In("one"), In("two"), "--output", In("whole")], "new or empty folder");
        Refused(["merge", In("one"), folder, "--output", In("x")], "no manifest.json");
        File.AppendAllText(In("two/results.jsonl"), "\n");
        Refused(["merge", In("one"), In("two"), "--output", In("x")], "not what it was");
    }

    [Test]
    public void Resampled_samples_say_how_many_candidates_carry_weight()
    {
        Dera.Outcome outcome = Dera.Done(Sweep("a", "--resample", "4", "--json"));
        System.Text.Json.JsonElement[] sizes = [.. outcome.Lines[0].GetProperty("lambdas").EnumerateArray().Select(lambda => lambda.GetProperty("effective_sample_size").GetProperty("mean"))];
        Assert.That(sizes[0].GetDouble(), Is.EqualTo(4), "all weights are equal at λ = 0");
        Assert.That(sizes[2].GetDouble(), Is.InRange(1, 3.99));
        Refused(Sweep("b", "--resample", "4", "--top-p", "0.9"), "resample");
    }

    /// <summary>
    /// Every third process dies at any moment from its start, the others shortly after they have added to the results. A sweep that lived to its end is
    /// compared and begun anew.
    /// </summary>
    [Test]
    public void A_killed_sweep_ends_as_an_undisturbed_one()
    {
        Dera.Done(Sweep("undisturbed", "--samples", "12"));
        byte[] undisturbed = File.ReadAllBytes(In("undisturbed/results.jsonl"));
        string results = In("killed/results.jsonl");
        var random = new Random(11);
        int killed = 0, within = 0, finished = 0;
        for (int run = 0; run < Kills; run++)
        {
            long before = Length();
            using Process process = Dera.Start(Sweep("killed", "--samples", "12", "--workers", $"{1 + (run % 5)}"));
            while (run % 3 > 0 && !process.HasExited && Length() == before)
            {
                Thread.Sleep(1);
            }

            killed += process.WaitForExit(random.Next(run % 3 > 0 ? 40 : 1500)) ? 0 : 1;
            process.Kill();
            process.WaitForExit();
            within += Length() > 0 && Length() < undisturbed.Length ? 1 : 0;
            if (Length() >= undisturbed.Length)
            {
                Assert.That(File.ReadAllBytes(results), Is.EqualTo(undisturbed), $"run {run}");
                Directory.Delete(In("killed"), recursive: true);
                finished++;
            }
        }

        TestContext.Out.WriteLine($"{killed} of {Kills} processes killed, {within} left part of the results, {finished} sweeps were whole before the last run");
        Assert.That(within, Is.GreaterThan(0));
        Dera.Done(Sweep("killed", "--samples", "12", "--workers", "3"));
        Assert.That(File.ReadAllBytes(results), Is.EqualTo(undisturbed));

        long Length() => File.Exists(results) ? new FileInfo(results).Length : 0;
    }

    [Test]
    public void A_reward_that_fails_ends_the_sweep_with_code_1_and_what_was_done_is_kept()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("the reward is a shell script");
        }

        string[] Failing(string command) => Sweep("a", "--workers", "1", "--reward", "command:" + command);
        string counted = "n=0; while read -r line; do n=$((n+1)); [ $n -gt 7 ] && [ ! -e " + In("well") + " ] && exit 9; echo ${#line}; done";
        Dera.Outcome outcome = Dera.Run(Failing(counted));
        Assert.That(outcome.ExitCode, Is.EqualTo(1), outcome.Error);
        Assert.That(outcome.Error, Does.Contain("exit code 9"));
        Assert.That(File.ReadAllLines(In("a/results.jsonl")), Has.Length.EqualTo(6));
        File.WriteAllText(In("well"), "");
        Dera.Done(Failing(counted));
        Assert.That(File.ReadAllLines(In("a/results.jsonl")), Has.Length.EqualTo(18));
    }

    [Test]
    public void Another_sweep_in_the_same_folder_is_refused_by_what_differs()
    {
        Dera.Done(Sweep("a"));
        byte[] before = File.ReadAllBytes(In("a/results.jsonl"));
        Refused(Sweep("a", "--seed", "1"), "seed: 0 there, 1 here");
        Refused(Sweep("a", "--shard", "1/2"), "shard");
        File.AppendAllText(In("words.txt"), "joy\n");
        Refused(Sweep("a"), "rewards");
        Assert.That(File.ReadAllBytes(In("a/results.jsonl")), Is.EqualTo(before));
    }

    [TestCase("", "at least one prompt")]
    [TestCase("\n\n", "at least one prompt")]
    [TestCase("{\"id\": \"a\", \"prompt\": \"x\"}\n{\"id\": \"a\", \"prompt\": \"y\"}\n", "id 'a'")]
    [TestCase("{\"id\": [1], \"prompt\": \"x\"}", "id: expected a string or a number")]
    [TestCase("{\"prompt\": \"x\"}\nnonsense", "line 2")]
    public void A_file_of_prompts_that_cannot_be_used_is_named(string content, string named)
    {
        File.WriteAllText(In("prompts.jsonl"), content);
        Refused(Sweep("a"), "prompts.jsonl", named);
        Assert.That(Directory.Exists(In("a")), Is.False);
    }

    [Test]
    public void Prompts_in_another_encoding_are_named()
    {
        File.WriteAllText(In("prompts.jsonl"), "{\"prompt\": \"x\"}", Encoding.Unicode);
        Refused(Sweep("a"), "UTF-16");
        File.WriteAllBytes(In("prompts.jsonl"), [.. "{\"prompt\": \"x\"}\n{\"prompt\": \""u8, 0xE9, .. "\"}\n"u8]);
        Refused(Sweep("a"), "line 2", "0xE9");
    }

    [TestCase("--lambda", "0,x", "'x'")]
    [TestCase("--lambda", "0,nan", "'nan'")]
    [TestCase("--lambda", "0,1,0", "given 2 times")]
    [TestCase("--samples", "0", "samples")]
    [TestCase("--shard", "3/2", "3/2")]
    [TestCase("--shard", "7/7", "as many shards as prompts")]
    [TestCase("--workers", "0", "--workers")]
    [TestCase("--beta", "-1", "--beta")]
    [TestCase("--beta", "x", "expected a number")]
    [TestCase("--kl-budget", "-1", "--kl-budget")]
    [TestCase("--confidence", "95", "--confidence")]
    [TestCase("--bootstrap", "5", "--bootstrap")]
    [TestCase("--reward", "length:9", "length:9")]
    [TestCase("--reward", "regex:(", "regex:(")]
    [TestCase("--reward", "lexicon:missing.txt", "missing.txt")]
    [TestCase("--reward", "model:missing", "missing")]
    [TestCase("--reward", "length:3-8", "given twice")]
    [TestCase("--reward-timeout", "0", "--reward-timeout")]
    public void A_flag_that_cannot_be_used_is_named(string flag, string value, string named)
    {
        string[] plain = Sweep("a");
        int at = Array.IndexOf(plain, flag);
        Refused(at >= 0 && flag != "--reward" ? [.. plain[..(at + 1)], value, .. plain[(at + 2)..]] : [.. plain, flag, value], named);
        Assert.That(Directory.Exists(In("a")), Is.False);
    }

    private static void Refused(string[] arguments, params string[] named)
    {
        Dera.Outcome outcome = Dera.Run(arguments);
        Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.Error);
        foreach (string name in named)
        {
            Assert.That(outcome.Error, Does.Contain(name));
        }

        Assert.That(outcome.Error, Does.Not.Contain("   at ").And.Not.Contain("System."));
    }
}

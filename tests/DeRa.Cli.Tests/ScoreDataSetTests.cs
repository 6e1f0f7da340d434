using System.Text.Json;

namespace DeRa.Cli.Tests;

/// <summary><c>score</c> over a data set: conversations, preference pairs, summaries, interruption, and many λ at once.</summary>
[NonParallelizable]
public sealed class ScoreDataSetTests
{
    private const string Pair = "{\"id\": 1, \"prompt\": \"Describe the market in the winter.\", \"chosen\": \"The market is lovely.\", \"rejected\": \"The market is black in the winter.\"}";

    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory().FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    private string In(string name) => Path.Combine(folder, name);

    private static string[] Score(params string[] more) => ["score", "--device", "cpu", "--lambda", "0,1", .. more];

    [Test]
    public void A_pair_is_judged_by_log_likelihood_per_token()
    {
        JsonElement line = Dera.Done(Score("--chat"), Pair).Lines[0];
        for (int i = 0; i < 2; i++)
        {
            JsonElement verdict = line.GetProperty("lambdas")[i];
            double chosen = Mean(line.GetProperty("chosen"), i), rejected = Mean(line.GetProperty("rejected"), i);
            Assert.That(verdict.GetProperty("chosen_mean_logprob").GetDouble(), Is.EqualTo(chosen).Within(1e-12));
            Assert.That(verdict.GetProperty("rejected_mean_logprob").GetDouble(), Is.EqualTo(rejected).Within(1e-12));
            Assert.That(verdict.GetProperty("prefers_chosen").GetBoolean(), Is.EqualTo(chosen > rejected));
        }

        Assert.That(Margin(1), Is.GreaterThan(Margin(0)), "the aligned model likes warm words more");

        double Margin(int lambda) => Mean(line.GetProperty("chosen"), lambda) - Mean(line.GetProperty("rejected"), lambda);

        static double Mean(JsonElement text, int lambda) => text.GetProperty("lambdas")[lambda].GetProperty("token_logprobs").Doubles().Average();
    }

    [Test]
    public void A_conversation_is_scored_from_its_answer_on_however_it_is_written()
    {
        string messages = "[{\"role\": \"user\", \"content\": \"Describe the market.\"}, {\"role\": \"assistant\", \"content\": \"It is old.\"}]";
        JsonElement whole = Dera.Done(Score(), $"{{\"messages\": {messages}}}").Lines[0];
        JsonElement split = Dera.Done(Score("--chat"), "{\"prompt\": \"Describe the market.\", \"completion\": \"It is old.\"}").Lines[0];
        JsonElement listed = Dera.Done(Score(), "{\"prompt\": [{\"role\": \"user\", \"content\": \"Describe the market.\"}], \"completion\": [{\"role\": \"assistant\", \"content\": \"It is old.\"}]}").Lines[0];
        Assert.That(whole.GetRawText(), Is.EqualTo(split.GetRawText()).And.EqualTo(listed.GetRawText()));

        int[] tokens = whole.GetProperty("tokens").Ints();
        int from = whole.GetProperty("from").GetInt32();
        string model = Path.Combine(AppContext.BaseDirectory, "weights", "aligned");
        string text = Dera.Done(["tokenize", "--model", model, "--decode"], $"[{string.Join(",", tokens[from..])}]").Output;
        Assert.That(text, Does.Contain("It is old.").And.Not.Contain("Describe"));
    }

    [Test]
    public void A_summary_says_what_the_lines_do()
    {
        string[] texts = ["The fox sleeps.", "The owl is grey.", "It is a lovely day.", "People rest."];
        string input = string.Join("\n", texts.Select(text => $"{{\"prompt\": \"\", \"completion\": \"{text}\"}}")) + "\n" + Pair;
        Dera.Outcome outcome = Dera.Done(Score("--summary", In("summary.json")), input);
        JsonElement summary = Golden.Read(In("summary.json"));
        JsonElement[] lines = [.. outcome.Lines[..4].Select(line => line.GetProperty("lambdas")[1])];
        double[] all = [.. lines.SelectMany(line => line.GetProperty("token_logprobs").Doubles())];
        JsonElement aligned = summary.GetProperty("lambdas")[1];
        Assert.That(summary.GetProperty("texts").GetInt32(), Is.EqualTo(4));
        Assert.That(summary.GetProperty("pairs").GetInt32(), Is.EqualTo(1));
        Assert.That(summary.GetProperty("tokens").GetInt32(), Is.EqualTo(all.Length));
        Assert.That(Mean("perplexity"), Is.EqualTo(Math.Exp(-all.Average())).Within(1e-9));
        Assert.That(Mean("kl_reference"), Is.EqualTo(lines.Average(line => line.GetProperty("kl_reference").Doubles().Sum())).Within(1e-9));
        Assert.That(aligned.GetProperty("perplexity").GetProperty("low").GetDouble(), Is.LessThan(Mean("perplexity")));
        Assert.That(Mean("pairwise_accuracy"), Is.EqualTo(outcome.Lines[4].GetProperty("lambdas")[1].GetProperty("prefers_chosen").GetBoolean() ? 1 : 0));

        double Mean(string name) => aligned.GetProperty(name).GetProperty("mean").GetDouble();
    }

    [Test]
    public void Interrupted_scoring_goes_on_where_it_stopped()
    {
        File.WriteAllLines(In("texts.jsonl"), Enumerable.Range(1, 120).Select(i => i % 3 == 0 ? Pair : $"{{\"id\": {i}, \"prompt\": \"Tell me.\", \"completion\": \"The fox {(i % 2 == 0 ? "sleeps" : "hides")} in the garden.\"}}"));
        string[] score = Score("--input", In("texts.jsonl"), "--output", In("scores.jsonl"), "--summary", In("summary.json"));
        string key = KeyOfAKilledRun(score);
        Dera.Done(score);
        byte[] whole = File.ReadAllBytes(In("scores.jsonl")), summary = File.ReadAllBytes(In("summary.json"));
        foreach (int cut in new[] { 0, 10, whole.Length / 2, whole.Length - 3, whole.Length })
        {
            File.Delete(In("scores.jsonl"));
            File.WriteAllBytes(In("scores.jsonl.part"), whole[..cut]);
            File.WriteAllText(In("scores.jsonl.part.key"), key);
            Dera.Outcome outcome = Dera.Done(score);
            Assert.That(File.ReadAllBytes(In("scores.jsonl")), Is.EqualTo(whole), $"cut at {cut}");
            Assert.That(File.ReadAllBytes(In("summary.json")), Is.EqualTo(summary), $"cut at {cut}");
            Assert.That(outcome.Error.Contains("are there already", StringComparison.Ordinal), Is.EqualTo(cut > whole.Length / 3), $"cut at {cut}");
            Assert.That(Directory.GetFiles(folder), Has.Length.EqualTo(3), "nothing is left beside");
        }

        // What another run left is not taken for this one's.
        File.WriteAllBytes(In("scores.jsonl.part"), whole[..(whole.Length / 2)]);
        File.WriteAllText(In("scores.jsonl.part.key"), "of another input");
        Assert.That(Dera.Done(score).Error, Does.Not.Contain("already"));
        Assert.That(File.ReadAllBytes(In("scores.jsonl")), Is.EqualTo(whole));
    }

    [Test]
    public void Sixty_four_lambdas_at_once_are_those_of_runs_of_their_own()
    {
        string line = "{\"prompt\": \"Tell me.\", \"completion\": \"The fox sleeps in the garden. It is a lovely day.\"}";
        string list = string.Join(",", Enumerable.Range(0, 64).Select(i => (i * 0.03125).ToString(System.Globalization.CultureInfo.InvariantCulture)));
        JsonElement together = Dera.Done(["score", "--device", "cpu", "--lambda", list], line).Lines[0].GetProperty("lambdas");
        Assert.That(together.GetArrayLength(), Is.EqualTo(64));
        foreach (int i in new[] { 0, 7, 32, 63 })
        {
            JsonElement alone = Dera.Done(["score", "--device", "cpu", "--lambda", list.Split(',')[i]], line).Lines[0].GetProperty("lambdas")[0];
            foreach (string field in new[] { "token_logprobs", "kl_reference", "kl_aligned", "log_normalizer" })
            {
                Assert.That(together[i].GetProperty(field).Doubles(), Is.EqualTo(alone.GetProperty(field).Doubles()).Within(1e-5), $"λ {i}, {field}");
            }
        }
    }

    [TestCase("{\"prompt\": \"a\", \"chosen\": \"b\"}", "\"rejected\" is missing")]
    [TestCase("{\"chosen\": \"a\", \"rejected\": \"b\"}", "\"prompt\" is missing")]
    [TestCase("{\"prompt\": \"a\", \"chosen\": \"\", \"rejected\": \"b\"}", "chosen")]
    [TestCase("{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}", "at least two")]
    [TestCase("{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"user\", \"content\": \"b\"}]}", "assistant")]
    [TestCase("{\"messages\": 5}", "found a number")]
    public void A_line_that_cannot_be_used_is_named(string line, string named)
    {
        Dera.Outcome outcome = Dera.Run(Score(), line);
        Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.Error);
        Assert.That(outcome.Error, Does.Contain("line 1").And.Contain(named));
        Assert.That(outcome.Output, Is.Empty);
    }

    /// <summary>Kills a run as soon as it has said what its work is.</summary>
    private string KeyOfAKilledRun(string[] score)
    {
        using System.Diagnostics.Process process = Dera.Start(score);
        string key = "";
        while (key.Length < 64 && !process.HasExited)
        {
            Thread.Sleep(1);
            key = File.Exists(In("scores.jsonl.part.key")) ? File.ReadAllText(In("scores.jsonl.part.key")) : "";
        }

        process.Kill();
        process.WaitForExit();
        Assert.That(key, Has.Length.EqualTo(64));
        return key;
    }
}

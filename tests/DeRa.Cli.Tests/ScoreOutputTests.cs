namespace DeRa.Cli.Tests;

/// <summary>What <c>score</c> writes, and where.</summary>
[NonParallelizable]
public sealed class ScoreOutputTests
{
    private const string Text = "{\"id\": 7, \"tokens\": [1, 2, 3, 4], \"from\": 1}";

    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory().FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void A_divergence_of_nothing_is_written_as_zero()
    {
        string output = Dera.Done(Score("-"), Text).Output;
        Assert.That(output, Does.Contain("\"kl_reference\":[0,0,0]").And.Contain("\"kl_aligned\":[0,0,0]"));
        Assert.That(output, Does.Not.Match("-0[],}]"), "a negative zero");
    }

    [Test]
    public void The_file_holds_what_standard_output_would()
    {
        string file = Path.Combine(folder, "scores.jsonl");
        File.WriteAllText(file, "what an earlier run left");
        Assert.That(Dera.Done(Score(file), Text).Output, Is.Empty);
        Assert.That(File.ReadAllText(file), Is.EqualTo(Dera.Done(Score("-"), Text).Output));
        Assert.That(Directory.GetFiles(folder), Is.EqualTo(new[] { file }));
    }

    [Test]
    public void A_file_that_cannot_be_written_is_named_and_nothing_is_left()
    {
        string place = Path.Combine(folder, "scores.jsonl");
        Directory.CreateDirectory(place);
        Dera.Outcome outcome = Dera.Run(Score(place), Text);
        Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.Error);
        Assert.That(outcome.Error, Does.Contain("scores.jsonl"));
        Assert.That(Directory.GetFiles(folder), Is.Empty);
    }

    private static string[] Score(string output) =>
    [
        "score", "--device", "cpu", "--reference", Path.Combine(Golden.Models, "llama_basic", "ref"),
        "--aligned", Path.Combine(Golden.Models, "llama_basic", "aligned"), "--lambda", "0,0.5,1", "--output", output,
    ];
}

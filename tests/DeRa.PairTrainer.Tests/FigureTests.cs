using System.Globalization;
using System.Xml.Linq;
using DeRa.PairTrainer.Figures;

namespace DeRa.PairTrainer.Tests;

/// <summary>Figures from lines as `dera sweep` and `dera score` write them.</summary>
public class FigureTests
{
    private string folder = string.Empty;

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("dera-figures-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void Frontier_has_means_intervals_and_paired_differences()
    {
        WriteSweep("dera", [0, 0.4f], (prompt, lambda) => lambda + (prompt % 2));
        WriteSweep("retrained-0.4", [1], (prompt, _) => 0.5f + (prompt % 2));
        new FrontierReport(
            [Series.Read($"DeRa={folder}/dera", "length:40-50"), Series.Read($"retrained={folder}/retrained-*", "length:40-50")], "A title", "reward").Write(
            Path.Combine(folder, "out", "length"));

        string[][] rows = [.. File.ReadAllLines(Path.Combine(folder, "out", "length.csv")).Skip(1).Select(line => line.Split(','))];
        Assert.That(rows.Select(row => row[0] + row[1]), Is.EqualTo(new[] { "DeRa0", "DeRa0.4", "retrained0.4" }));
        Assert.That(Number(rows[0][3]), Is.EqualTo(0.5).Within(1e-4));
        Assert.That(Number(rows[0][4]), Is.LessThan(0.5).And.GreaterThan(0.2), "the interval of 40 prompts, half of them 0 and half 1");

        // Both series have the same prompts, so the prompts' own differences cancel: 0.1, exactly.
        Assert.That(rows[2][12..15].Select(Number), Is.EqualTo(new[] { 0.1, 0.1, 0.1 }).Within(1e-4));
        Assert.That(File.ReadAllLines(Path.Combine(folder, "out", "length-lengths.csv"))[1], Is.EqualTo("DeRa,0,40,1.0000"));
        foreach (string plot in (string[])["reward", "kl", "frontier"])
            Assert.That(() => XDocument.Load(Path.Combine(folder, "out", $"length-{plot}.svg")), Throws.Nothing, plot);
    }

    [Test]
    public void Series_of_other_prompts_are_not_compared()
    {
        WriteSweep("dera", [0.4f], (_, _) => 0);
        WriteSweep("retrained-0.4", [1], (_, _) => 0, firstPrompt: 1);
        FrontierReport report = new(
            [Series.Read($"DeRa={folder}/dera", "length:40-50"), Series.Read($"retrained={folder}/retrained-*", "length:40-50")], "A title", "reward");

        Assert.That(report.Csv, Throws.TypeOf<InvalidDataException>().With.Message.Contains("λ = 0.4"));
    }

    [Test]
    public void Wrong_forms_and_missing_rewards_are_named()
    {
        WriteSweep("dera", [0], (_, _) => 0);
        Assert.That(() => Series.Read("dera", "length:40-50"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("'dera'"));
        Assert.That(() => Series.Read($"x={folder}/none-*", "length:40-50"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("x"));
        Assert.That(() => Series.Read($"x={folder}/dera", "warm"), Throws.TypeOf<InvalidDataException>().With.Message.Contains("line 1: expected 'warm'"));
    }

    [Test]
    public void Accuracy_is_the_share_of_pairs_ordered_as_labelled()
    {
        string file = Path.Combine(folder, "scores.jsonl");
        File.WriteAllLines(file, Enumerable.Range(0, 10).Select(i => string.Create(CultureInfo.InvariantCulture,
            $$"""{"chosen":{},"rejected":{},"lambdas":[{"lambda":0,"prefers_chosen":{{(i < 5 ? "true" : "false")}}},{"lambda":0.2,"prefers_chosen":true}]}""")));
        new AccuracyReport("A title").Write([$"DPO={file}"], Path.Combine(folder, "accuracy"));

        string[] rows = File.ReadAllLines(Path.Combine(folder, "accuracy.csv"));
        Assert.That(rows[1], Does.StartWith("DPO,0,0.5000,0."));
        Assert.That(rows[2], Is.EqualTo("DPO,0.2,1.0000,1.0000,1.0000"));
        Assert.That(() => XDocument.Load(Path.Combine(folder, "accuracy.svg")), Throws.Nothing);
    }

    /// <summary>For independent standard normal values a 95 % interval holds the true mean 95 times in 100; 400 trials have a standard error of 1.1 points.</summary>
    [Test]
    public void Intervals_cover_at_the_stated_rate()
    {
        Numerics.DeterministicRandom random = new(9);
        int covered = 0;
        for (int trial = 0; trial < 400; trial++)
        {
            Interval interval = Bootstrap.Mean([.. Enumerable.Range(0, 60).Select(_ => random.NextGaussian())]);
            covered += interval.Low <= 0 && 0 <= interval.High ? 1 : 0;
        }

        Assert.That(covered / 400.0, Is.InRange(0.9, 0.98));
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private void WriteSweep(string name, float[] lambdas, Func<int, float, float> reward, int firstPrompt = 0)
    {
        Directory.CreateDirectory(Path.Combine(folder, name));
        File.WriteAllLines(Path.Combine(folder, name, "results.jsonl"), lambdas.SelectMany(lambda => Enumerable.Range(firstPrompt, 40).Select(prompt =>
            string.Create(CultureInfo.InvariantCulture, $$"""{"key":"k","prompt_id":"p{{prompt}}","prompt_index":{{prompt}},"lambda":{{lambda}},"sample":0,"length":42,"rewards":{"length:40-50":{{reward(prompt, lambda)}}},"kl_reference":{{lambda}}}"""))));
    }
}

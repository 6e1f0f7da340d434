using System.Globalization;
using System.Text.RegularExpressions;

namespace DeRa.PairTrainer.Tests;

/// <summary>All stages from nothing to a described pair, at the size of --quick.</summary>
public partial class TrainerTests
{
    [Test]
    public void Quick_run_leaves_a_whole_pair_and_its_loss_falls()
    {
        string folder = Path.Combine(TestContext.CurrentContext.WorkDirectory, "quick-pair");
        using StringWriter log = new();
        Trainer trainer = new(Recipe.Quick, folder, threads: 2, log);

        trainer.TrainReference();
        trainer.TrainAligned();
        trainer.Describe();

        double[] losses = [.. Loss().Matches(log.ToString()).Select(m => double.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture))];
        Assert.Multiple(() =>
        {
            Assert.That(losses[^1], Is.LessThan(losses[0] - 2));
            Assert.That(Path.Combine(folder, "reference", "model.safetensors"), Does.Exist);
            Assert.That(Path.Combine(folder, "aligned", "model.safetensors"), Does.Exist);
            Assert.That(File.ReadAllText(Path.Combine(folder, "README.md")), Does.Contain("**β = 0.3**").And.Contain("| 1.5 | "));
        });
        Directory.Delete(folder, recursive: true);
    }

    [GeneratedRegex(@"^sft .* loss ([\d.]+) ", RegexOptions.Multiline)]
    private static partial Regex Loss();
}

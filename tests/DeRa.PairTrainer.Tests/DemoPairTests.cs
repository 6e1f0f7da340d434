using System.Text.Json;
using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Evaluation;
using DeRa.PairTrainer.Export;
using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;
using DeRa.PairTrainer.TextWorld;

namespace DeRa.PairTrainer.Tests;

/// <summary>The pair in weights/ as it is checked in.</summary>
public class DemoPairTests
{
    private const long MostBytes = 12 * 1000 * 1000;

    private static readonly string[] CheckpointFiles =
        ["config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];

    private static readonly string Weights = Path.Combine(RepositoryRoot.Path, "weights");

    [Test]
    public void Folders_are_complete_and_small()
    {
        string[] expected =
        [
            "README.md", "lexicon.txt", "prompts.jsonl",
            .. CheckpointFiles.Select(f => Path.Combine("reference", f)),
            .. CheckpointFiles.Select(f => Path.Combine("aligned", f)),
        ];
        Assert.That(expected.Where(f => !File.Exists(Path.Combine(Weights, f))), Is.Empty);
        Assert.That(Directory.EnumerateFiles(Weights, "*", SearchOption.AllDirectories).Sum(f => new FileInfo(f).Length), Is.LessThanOrEqualTo(MostBytes));
    }

    [TestCase("config.json")]
    [TestCase("generation_config.json")]
    [TestCase("tokenizer.json")]
    [TestCase("tokenizer_config.json")]
    public void Both_models_have_the_same(string file) =>
        Assert.That(Read("aligned", file), Is.EqualTo(Read("reference", file)));

    [Test]
    public void Tokenizer_is_the_one_the_recipe_trains()
    {
        using JsonDocument json = JsonDocument.Parse(Read("reference", "tokenizer.json"));
        string[] stored = [.. json.RootElement.GetProperty("model").GetProperty("merges").EnumerateArray().Select(m => m.GetString()!)];

        Assert.That(Trainer.TrainTokenizer(Recipe.Demo).Merges.Select(m => $"{m.Left} {m.Right}"), Is.EqualTo(stored));
    }

    [Test]
    public void Lexicon_and_prompts_are_those_of_the_text_world()
    {
        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllLines(Path.Combine(Weights, "lexicon.txt")), Is.EqualTo(WarmthReward.Lexicon));
            Assert.That(File.ReadAllText(Path.Combine(Weights, "prompts.jsonl")), Is.EqualTo(DemoPrompts.Jsonl()));
        });
    }

    /// <summary>
    /// With 64 prompts the standard error of the quality is about 0.02 at most and that of the reward below 0.5, so these bounds hold by a wide
    /// margin for the figures of the model card.
    /// </summary>
    [Test]
    public void Reward_rises_with_lambda_and_grammar_breaks_past_one()
    {
        BpeTokenizer tokenizer = Trainer.TrainTokenizer(Recipe.Demo);
        LlamaConfig config = Recipe.Demo.ModelConfig(tokenizer);
        LlamaParameters<float> reference = CheckpointFolder.Read(Path.Combine(Weights, "reference"), config);
        LlamaParameters<float> aligned = CheckpointFolder.Read(Path.Combine(Weights, "aligned"), config);
        PairMeasurement measurement = new(tokenizer, reference, aligned, new Workers(2));

        LambdaMeasurement[] at = [.. new double[] { 0, 1, 2 }.Select(lambda => measurement.Measure(lambda, samples: 64, seed: 81))];

        Assert.Multiple(() =>
        {
            Assert.That(aligned.LmHead.Value, Is.EqualTo(reference.LmHead.Value));
            Assert.That(aligned.EmbedTokens.Value, Is.EqualTo(reference.EmbedTokens.Value));
            Assert.That(at[0].KlPerSequence.Mean, Is.EqualTo(0).Within(1e-9));
            Assert.That(at[0].Reward.Mean, Is.LessThan(2));
            Assert.That(at[1].Reward.Mean, Is.GreaterThan(at[0].Reward.Mean + 1));
            Assert.That(at[2].Reward.Mean, Is.GreaterThan(at[1].Reward.Mean + 1));
            Assert.That(at[0].Quality.Mean, Is.GreaterThan(0.9));
            Assert.That(at[1].Quality.Mean, Is.GreaterThan(0.85));
            Assert.That(at[2].Quality.Mean, Is.LessThan(at[1].Quality.Mean - 0.1));
        });
    }

    private static string Read(string model, string file) => File.ReadAllText(Path.Combine(Weights, model, file));
}

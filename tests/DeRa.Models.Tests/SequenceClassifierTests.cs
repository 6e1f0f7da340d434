using DeRa.Checkpoints;
using DeRa.Models.Tests.Reference;

namespace DeRa.Models.Tests;

/// <summary>Scalar heads against the float64 oracle: score.weight · h of the last token that is no padding.</summary>
[TestFixtureSource(typeof(TestDevice), nameof(TestDevice.Names))]
internal sealed class SequenceClassifierTests(string deviceName) : DeviceTests(deviceName)
{
    private static readonly string[] Families = ["llama", "mistral", "qwen2", "qwen3"];

    private static string Config(string family, bool oracle)
    {
        string config = Variants.Llama(""" "pad_token_id": 7, "head_dim": 10, "sliding_window": 9, "max_window_layers": 0 """, family);
        return oracle ? config : config.Replace("ForCausalLM", "ForSequenceClassification", StringComparison.Ordinal);
    }

    /// <summary>The checkpoint of a classifier, or with <paramref name="oracle"/> a language model whose first logit is the classifier's number.</summary>
    private static TinyCheckpoint Checkpoint(string family, bool oracle, Action<Dictionary<string, (int[] Shape, float[] Values)>>? change = null) => new(Config(family, oracle), change: tensors =>
    {
        (int[] shape, float[] values) = tensors["lm_head.weight"];
        if (!oracle)
        {
            tensors.Remove("lm_head.weight");
            tensors["score.weight"] = ([1, shape[1]], values[..shape[1]]);
        }

        change?.Invoke(tensors);
    });

    [Test]
    public void A_text_scores_what_the_oracle_says([ValueSource(nameof(Families))] string family)
    {
        using TinyCheckpoint folder = Checkpoint(family, oracle: false), other = Checkpoint(family, oracle: true);
        var oracle = new HfCheckpoint(other.Path);
        using SequenceClassifier model = SequenceClassifier.Load(folder.Path, Device.Kernels);
        var random = new Random(3);
        int[][] texts = [.. new[] { 1, 2, 17, 40, 5 }.Select(length => Enumerable.Range(0, length).Select(_ => 8 + random.Next(100)).ToArray())];
        double[] expected = [.. texts.Select(text => HfModels.Logits(oracle, text)[^1][0])];
        Close.Within(GoldenCase.LogitTolerance, model.Score(texts), expected, family);
    }

    [Test]
    public void A_texts_score_does_not_depend_on_the_others_nor_on_chunks()
    {
        using TinyCheckpoint folder = Checkpoint("llama", oracle: false);
        using SequenceClassifier model = SequenceClassifier.Load(folder.Path, Device.Kernels);
        var random = new Random(4);
        int[][] texts = [.. new[] { 3, 700, 1, 300, 250, 40, 512 }.Select(length => Enumerable.Range(0, length).Select(_ => 8 + random.Next(100)).ToArray())];
        float[] together = model.Score(texts);
        for (int i = 0; i < texts.Length; i++) Assert.That(model.Score([texts[i]])[0], Is.EqualTo(together[i]), $"text {i}");
    }

    [Test]
    public void Padding_at_the_end_is_left_out()
    {
        using TinyCheckpoint folder = Checkpoint("llama", oracle: false);
        using SequenceClassifier model = SequenceClassifier.Load(folder.Path, Device.Kernels);
        float[] scores = model.Score([[9, 10, 11], [9, 10, 11, 7, 7], [9, 7, 10, 11]]);
        Assert.That(scores[1], Is.EqualTo(scores[0]));
        Assert.That(scores[2], Is.Not.EqualTo(scores[0]), "padding within a text counts");
    }

    [Test]
    public void A_checkpoint_without_a_scalar_head_is_refused()
    {
        using TinyCheckpoint language = Checkpoint("llama", oracle: true);
        Assert.That(() => SequenceClassifier.Load(language.Path, Device.Kernels), Throws.TypeOf<CheckpointException>().With.Message.Contains("score.weight"));
        using TinyCheckpoint twoLabels = Checkpoint("llama", oracle: false, tensors => tensors["score.weight"] = ([2, 40], new float[80]));
        Assert.That(() => SequenceClassifier.Load(twoLabels.Path, Device.Kernels), Throws.TypeOf<CheckpointException>().With.Message.Contains("[2, 40]"));
        using var gemma = new TinyCheckpoint(Variants.Config("gemma"));
        Assert.That(() => SequenceClassifier.Load(gemma.Path, Device.Kernels), Throws.TypeOf<CheckpointException>().With.Message.Contains("gemma"));
    }
}

using DeRa.Models.Tests.Reference;

namespace DeRa.Models.Tests;

/// <summary>Random tiny checkpoints of configurations beyond the golden files against the float64 oracle.</summary>
[TestFixtureSource(typeof(TestDevice), nameof(TestDevice.Names))]
internal sealed class VariantTests(string deviceName) : DeviceTests(deviceName)
{
    [Test]
    public void Logits_equal_the_oracle([ValueSource(typeof(Variants), nameof(Variants.Names))] string name)
    {
        using var checkpoint = new TinyCheckpoint(Variants.Config(name));
        var oracle = new HfCheckpoint(checkpoint.Path);
        using var model = new SingleModel(Device.Kernels, checkpoint.Path);
        var random = new Random(5);
        foreach (int length in new[] { 1, 17, 41 })
        {
            int[] tokens = [.. Enumerable.Range(0, length).Select(_ => random.Next(123))];
            double[] expected = [.. HfModels.Logits(oracle, tokens).SelectMany(row => row)];
            Close.Within(GoldenCase.LogitTolerance, model.Logits(tokens, null, 5, 1, 9), expected, $"{name}, {length} tokens");
        }
    }

    /// <summary>Decoding across the length where the frequencies change: the engine prefills again where the regime says so.</summary>
    [TestCase("llama, rope dynamic past its length")]
    [TestCase("phi3, longrope past its length")]
    [TestCase("llama, rope yarn")]
    public void Decoding_across_a_change_of_regime_equals_a_full_recompute(string name)
    {
        using var checkpoint = new TinyCheckpoint(Variants.Config(name));
        var oracle = new HfCheckpoint(checkpoint.Path);
        using var model = new SingleModel(Device.Kernels, checkpoint.Path);
        var random = new Random(6);
        int[] tokens = [.. Enumerable.Range(0, 30).Select(_ => random.Next(123))];
        int[] blocks = [3, 0];
        int vocabulary = model.Model.Config.VocabSize, cached = 0, prefills = 0;
        for (int length = 15; length <= tokens.Length; length++)
        {
            if (model.Model.RopeRegime(length) != model.Model.RopeRegime(length - 1)) cached = 0;
            if (cached == 0) prefills++;
            float[] last = model.Step(new Chunk(tokens, cached, length - cached, blocks, length, 1));
            cached = length;
            double[] expected = HfModels.Logits(oracle, tokens[..length])[^1];
            Close.Within(GoldenCase.LogitTolerance, last, expected, $"{name}, {length} tokens");
            Assert.That(last, Has.Length.EqualTo(vocabulary));
        }

        // 25 to 30 tokens: one regime each past dynamic's 24; longrope changes once past 20; yarn never.
        Assert.That(prefills, Is.EqualTo(name.Contains("dynamic", StringComparison.Ordinal) ? 7 : name.Contains("longrope", StringComparison.Ordinal) ? 2 : 1));
    }

    [Test]
    public void Sequences_of_different_regimes_share_a_step()
    {
        using var checkpoint = new TinyCheckpoint(Variants.Config("phi3, longrope past its length"));
        using var model = new SingleModel(Device.Kernels, checkpoint.Path);
        var random = new Random(7);
        int[] brief = [.. Enumerable.Range(0, 12).Select(_ => random.Next(123))], lengthy = [.. Enumerable.Range(0, 33).Select(_ => random.Next(123))];
        float[] expected = [.. model.Logits(brief), .. model.Logits(lengthy)];
        Assert.That(model.Step(new Chunk(brief, 0, 12, [4], 12, 12), new Chunk(lengthy, 0, 33, [1, 7, 2], 33, 33)), Is.EqualTo(expected));
    }

    [Test]
    public void Positions_past_the_learned_ones_are_refused()
    {
        using var checkpoint = new TinyCheckpoint(Variants.Config("gpt2, unscaled attention, exact gelu"));
        using var model = new SingleModel(Device.Kernels, checkpoint.Path);
        int[] tokens = new int[65];
        Assert.That(model.Model.MaxPositions, Is.EqualTo(64));
        Assert.That(() => model.Logits(tokens[..64]), Throws.Nothing);
        Assert.That(
            () => model.Logits(tokens), Throws.TypeOf<ModelInputException>().With.Message.Contain("position 64").And.Message.Contain("64 learned"));
    }

    [Test]
    public void Tokens_past_the_vocabulary_are_refused()
    {
        using var checkpoint = new TinyCheckpoint(Variants.Config("gemma"));
        using var model = new SingleModel(Device.Kernels, checkpoint.Path);
        Assert.That(() => model.Logits([0, 122]), Throws.Nothing);
        Assert.That(() => model.Logits([0, 123]), Throws.TypeOf<ModelInputException>().With.Message.Contain("token 123"));
    }

    [Test]
    public void Logits_of_a_long_text_stream_out_row_by_row()
    {
        using var checkpoint = new TinyCheckpoint(Variants.Config("gemma2, one key-value head"));
        using var model = new SingleModel(Device.Kernels, checkpoint.Path);
        var random = new Random(8);
        int[] tokens = [.. Enumerable.Range(0, 50).Select(_ => random.Next(123))];
        var rows = new List<float>();
        LogitsComputer.Compute(
            model.Model,
            Device.Kernels,
            tokens,
            (position, row) =>
            {
                Assert.That(position, Is.EqualTo(rows.Count / 123));
                rows.AddRange(row);
            },
            chunk: 16);
        Assert.That(rows, Is.EqualTo(model.Logits(tokens)));
    }
}

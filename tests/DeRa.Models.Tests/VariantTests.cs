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

    [Test]
    public void A_head_stored_beside_a_tied_embedding_does_not_count()
    {
        using var checkpoint = new TinyCheckpoint(
            Variants.Llama(""" "rope_theta": 100.0 """, tied: true),
            change: tensors => tensors["lm_head.weight"] = (tensors["model.embed_tokens.weight"].Shape, new float[123 * 40]));
        MatchesTheOracle(checkpoint);
    }

    [Test]
    public void Gpt2_may_have_a_head_of_its_own()
    {
        string config = Variants.Config("gpt2, unscaled attention, exact gelu").Replace("\"n_head\"", "\"tie_word_embeddings\": false, \"n_head\"", StringComparison.Ordinal);
        using var checkpoint = new TinyCheckpoint(config, change: tensors =>
        {
            (int[] shape, float[] values) = tensors["transformer.wte.weight"];
            tensors["lm_head.weight"] = (shape, [.. values.Reverse()]);
        });
        MatchesTheOracle(checkpoint);
    }

    /// <summary>The embedding lies in float16's subnormal range: an engine that flushes those to zero would see nothing.</summary>
    [Test]
    public void Types_may_differ_from_tensor_to_tensor_and_subnormals_count()
    {
        string config = Variants.Llama(""" "attention_bias": true """).Replace("1e-5", "1e-14", StringComparison.Ordinal);
        string[] types = ["F16", "BF16", "F32"];
        int next = 0;
        var chosen = new Dictionary<string, string> { ["model.embed_tokens.weight"] = "F16" };
        using var checkpoint = new TinyCheckpoint(
            config,
            change: tensors =>
            {
                float[] embedding = tensors["model.embed_tokens.weight"].Values;
                for (int i = 0; i < embedding.Length; i++) embedding[i] *= 1e-5f;
            },
            dtype: name => chosen.TryGetValue(name, out string? type) ? type : chosen[name] = types[next++ % 3]);
        MatchesTheOracle(checkpoint);
    }

    private void MatchesTheOracle(TinyCheckpoint checkpoint)
    {
        var oracle = new HfCheckpoint(checkpoint.Path);
        using var model = new SingleModel(Device.Kernels, checkpoint.Path);
        int[] tokens = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2];
        Close.Within(
            GoldenCase.LogitTolerance, model.Logits(tokens, null, 5, 1), [.. HfModels.Logits(oracle, tokens).SelectMany(row => row)], "logits");
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

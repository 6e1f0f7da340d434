using System.Globalization;
using System.Text;
using DeRa.Kernels;

namespace DeRa.Checkpoints.Tests;

/// <summary>Defaults, switches and refusals of each family, as Hugging Face's config classes have them.</summary>
[TestFixture]
public sealed class ModelConfigTests
{
    private static readonly string[] Families = ["llama", "mistral", "qwen2", "qwen3", "gpt_neox", "gpt2", "phi3", "gemma", "gemma2"];

    [TestCase("llama", 4096, 11008, 32, 32, 32, 128, 32000, 2048, 1e-6f, ActivationKind.Silu, false, 1, 2)]
    [TestCase("mistral", 4096, 14336, 32, 32, 8, 128, 32000, 131072, 1e-6f, ActivationKind.Silu, false, 1, 2)]
    [TestCase("qwen2", 4096, 22016, 32, 32, 32, 128, 151936, 32768, 1e-6f, ActivationKind.Silu, false, null, null)]
    [TestCase("qwen3", 4096, 22016, 32, 32, 32, 128, 151936, 32768, 1e-6f, ActivationKind.Silu, false, null, null)]
    [TestCase("gpt_neox", 6144, 24576, 44, 64, 64, 96, 50432, 2048, 1e-5f, ActivationKind.Gelu, false, 0, 2)]
    [TestCase("gpt2", 768, 3072, 12, 12, 12, 64, 50257, 1024, 1e-5f, ActivationKind.GeluTanh, true, 50256, 50256)]
    [TestCase("phi3", 3072, 8192, 32, 32, 32, 96, 32064, 4096, 1e-5f, ActivationKind.Silu, false, 1, 32000)]
    [TestCase("gemma", 3072, 24576, 28, 16, 16, 256, 256000, 8192, 1e-6f, ActivationKind.GeluTanh, true, 2, 1)]
    [TestCase("gemma2", 2304, 9216, 26, 8, 4, 256, 256000, 8192, 1e-6f, ActivationKind.GeluTanh, true, 2, 1)]
    public void Missing_keys_take_the_family_s_defaults(
        string type, int hidden, int intermediate, int layers, int heads, int kvHeads, int headDim, int vocab, int positions,
        float epsilon, ActivationKind activation, bool tied, int? bos, int? eos)
    {
        ModelConfig config = Configs.ParseText($$"""{"model_type": "{{type}}"}""");
        Assert.Multiple(() =>
        {
            Assert.That(config.HiddenSize, Is.EqualTo(hidden));
            Assert.That(config.IntermediateSize, Is.EqualTo(intermediate));
            Assert.That(config.NumLayers, Is.EqualTo(layers));
            Assert.That(config.NumHeads, Is.EqualTo(heads));
            Assert.That(config.NumKvHeads, Is.EqualTo(kvHeads));
            Assert.That(config.HeadDim, Is.EqualTo(headDim));
            Assert.That(config.VocabSize, Is.EqualTo(vocab));
            Assert.That(config.MaxPositionEmbeddings, Is.EqualTo(positions));
            Assert.That(config.NormEpsilon, Is.EqualTo(epsilon));
            Assert.That(config.Activation, Is.EqualTo(activation));
            Assert.That(config.TieWordEmbeddings, Is.EqualTo(tied));
            Assert.That(config.BosId, Is.EqualTo(bos));
            Assert.That(config.EosIds, Is.EqualTo(eos is int id ? [id] : Array.Empty<int>()));
            Assert.That(config.AttentionScales, Has.Count.EqualTo(layers));
            Assert.That(config.SlidingWindows, Has.Count.EqualTo(layers));
        });
    }

    [Test]
    public void Null_derives_what_the_other_sizes_give()
    {
        ModelConfig config = Configs.Parse("qwen3", "\"head_dim\": null, \"num_key_value_heads\": null");
        Assert.Multiple(() =>
        {
            Assert.That(config.HeadDim, Is.EqualTo(16));
            Assert.That(config.NumKvHeads, Is.EqualTo(4));
        });
    }

    [TestCase("mistral", "", new[] { 4096, 4096, 4096, 4096 })]
    [TestCase("mistral", "\"sliding_window\": 9", new[] { 9, 9, 9, 9 })]
    [TestCase("mistral", "\"sliding_window\": null", new[] { 0, 0, 0, 0 })]
    [TestCase("phi3", "", new[] { 0, 0, 0, 0 })]
    [TestCase("phi3", "\"sliding_window\": 12", new[] { 12, 12, 12, 12 })]
    [TestCase("qwen2", "\"sliding_window\": 9, \"max_window_layers\": 1", new[] { 0, 0, 0, 0 })]
    [TestCase("qwen2", "\"sliding_window\": 9, \"max_window_layers\": 1, \"use_sliding_window\": true", new[] { 0, 9, 9, 9 })]
    [TestCase("qwen2", "\"sliding_window\": 9, \"use_sliding_window\": true", new[] { 0, 0, 0, 0 })]
    [TestCase("qwen3", "\"sliding_window\": null, \"max_window_layers\": 0, \"use_sliding_window\": true", new[] { 0, 0, 0, 0 })]
    [TestCase("qwen3", "\"sliding_window\": 9, \"max_window_layers\": 2, \"use_sliding_window\": true", new[] { 0, 0, 9, 9 })]
    [TestCase(
        "qwen3",
        "\"sliding_window\": 9, \"use_sliding_window\": true, \"layer_types\": [\"sliding_attention\", \"full_attention\", \"full_attention\", \"sliding_attention\"]",
        new[] { 9, 0, 0, 9 })]
    [TestCase("gemma2", "", new[] { 4096, 0, 4096, 0 })]
    [TestCase("gemma2", "\"sliding_window\": null", new[] { 0, 0, 0, 0 })]
    [TestCase(
        "gemma2",
        "\"sliding_window\": 8, \"layer_types\": [\"full_attention\", \"sliding_attention\", \"full_attention\", \"full_attention\"]",
        new[] { 0, 8, 0, 0 })]
    [TestCase("llama", "\"sliding_window\": 8", new[] { 0, 0, 0, 0 })]
    [TestCase("gemma", "\"sliding_window\": 8", new[] { 0, 0, 0, 0 })]
    public void Sliding_windows(string type, string fields, int[] windowsWithZeroForFull)
    {
        IEnumerable<int?> expected = windowsWithZeroForFull.Select(window => window == 0 ? null : (int?)window);
        Assert.That(Configs.Parse(type, fields).SlidingWindows, Is.EqualTo(expected));
    }

    [Test]
    public void Attention_scale_is_one_over_the_root_of_the_head_width() =>
        Assert.That(Configs.Parse("llama", "\"head_dim\": 24").AttentionScales, Is.All.EqualTo((float)(1 / Math.Sqrt(24))));

    [Test]
    public void Gemma2_scale_comes_from_its_own_scalar() => Assert.Multiple(() =>
    {
        Assert.That(Configs.Parse("gemma2").AttentionScales, Is.All.EqualTo(1f / 16));
        Assert.That(Configs.Parse("gemma2", "\"query_pre_attn_scalar\": 144").AttentionScales, Is.All.EqualTo((float)(1 / 12.0)));
        Assert.That(Configs.Parse("gemma").AttentionScales, Is.All.EqualTo(0.25f));
    });

    [Test]
    public void Gpt2_scale_can_be_switched_off_and_fall_with_depth() => Assert.Multiple(() =>
    {
        Assert.That(Configs.Parse("gpt2").AttentionScales, Is.All.EqualTo(0.25f));
        Assert.That(Configs.Parse("gpt2", "\"scale_attn_weights\": false").AttentionScales, Is.All.EqualTo(1f));
        Assert.That(
            Configs.Parse("gpt2", "\"scale_attn_by_inverse_layer_idx\": true").AttentionScales,
            Is.EqualTo(new[] { 0.25f, 0.125f, (float)(0.25 / 3), 0.0625f }));
    });

    [Test]
    public void Gemma2_soft_caps_default_and_switch_off() => Assert.Multiple(() =>
    {
        Assert.That(Configs.Parse("gemma2").AttentionSoftCap, Is.EqualTo(50f));
        Assert.That(Configs.Parse("gemma2").LogitSoftCap, Is.EqualTo(30f));
        Assert.That(Configs.Parse("gemma2", "\"attn_logit_softcapping\": null").AttentionSoftCap, Is.Null);
        Assert.That(Configs.Parse("gemma2", "\"final_logit_softcapping\": null").LogitSoftCap, Is.Null);
        Assert.That(Configs.Parse("gemma", "\"attn_logit_softcapping\": 3").AttentionSoftCap, Is.Null);
    });

    [TestCase("llama", "", false, false, false)]
    [TestCase("llama", "\"attention_bias\": true", true, true, false)]
    [TestCase("llama", "\"mlp_bias\": true", false, false, true)]
    [TestCase("mistral", "\"attention_bias\": true, \"mlp_bias\": true", false, false, false)]
    [TestCase("qwen2", "", true, false, false)]
    [TestCase("qwen3", "", false, false, false)]
    [TestCase("qwen3", "\"attention_bias\": true", true, true, false)]
    [TestCase("gemma", "\"attention_bias\": true", true, true, false)]
    [TestCase("gpt_neox", "", true, true, true)]
    [TestCase("gpt_neox", "\"attention_bias\": false", false, false, true)]
    [TestCase("gpt2", "", true, true, true)]
    [TestCase("phi3", "\"attention_bias\": true", false, false, false)]
    public void Biases(string type, string fields, bool qkv, bool output, bool mlp)
    {
        ModelConfig config = Configs.Parse(type, fields);
        Assert.That((config.QkvBias, config.OutputProjectionBias, config.MlpBias), Is.EqualTo((qkv, output, mlp)));
    }

    [TestCase("llama", "\"hidden_act\": \"swish\"", ActivationKind.Silu)]
    [TestCase("llama", "\"hidden_act\": \"gelu\"", ActivationKind.Gelu)]
    [TestCase("llama", "\"hidden_act\": \"quick_gelu\"", ActivationKind.QuickGelu)]
    [TestCase("gpt_neox", "\"hidden_act\": \"gelu_fast\"", ActivationKind.GeluTanh)]
    [TestCase("gpt2", "\"activation_function\": \"relu\"", ActivationKind.Relu)]
    [TestCase("gemma", "\"hidden_act\": \"gelu\"", ActivationKind.GeluTanh)]
    [TestCase("gemma", "\"hidden_act\": \"gelu\", \"hidden_activation\": \"gelu\"", ActivationKind.Gelu)]
    [TestCase("gemma", "\"hidden_act\": \"silu\", \"hidden_activation\": null", ActivationKind.Silu)]
    [TestCase("gemma2", "\"hidden_act\": \"silu\"", ActivationKind.GeluTanh)]
    public void Activations(string type, string fields, ActivationKind expected) =>
        Assert.That(Configs.Parse(type, fields).Activation, Is.EqualTo(expected));

    [Test]
    public void Gpt2_sizes_have_their_own_names()
    {
        ModelConfig config = Configs.ParseText(
            """{"model_type": "gpt2", "n_embd": 48, "n_head": 3, "n_layer": 2, "n_positions": 77, "n_inner": null, "vocab_size": 9}""");
        Assert.That(
            (config.HiddenSize, config.NumHeads, config.NumLayers, config.MaxPositionEmbeddings, config.IntermediateSize, config.Rope),
            Is.EqualTo((48, 3, 2, 77, 192, (RopeConfig?)null)));
    }

    [Test]
    public void Residual_of_neox_is_parallel_unless_told_otherwise() => Assert.Multiple(() =>
    {
        Assert.That(Configs.Parse("gpt_neox").ParallelResidual, Is.True);
        Assert.That(Configs.Parse("gpt_neox", "\"use_parallel_residual\": false").ParallelResidual, Is.False);
    });

    [Test]
    public void Generation_config_wins_where_it_says_something()
    {
        ModelConfig config = Configs.Parse(
            "llama",
            "\"eos_token_id\": 7, \"bos_token_id\": 8, \"pad_token_id\": -1",
            """{"eos_token_id": [9, 10, 9], "pad_token_id": 3, "top_k": 40, "repetition_penalty": 1.1, "min_p": 0.05}""");
        ModelConfig without = Configs.Parse("llama", "\"eos_token_id\": [7]", "{}");
        Assert.Multiple(() =>
        {
            Assert.That(config.EosIds, Is.EqualTo(new[] { 9, 10 }));
            Assert.That(config.BosId, Is.EqualTo(8));
            Assert.That(config.PadId, Is.EqualTo(3));
            Assert.That(config.Generation.TopK, Is.EqualTo(40));
            Assert.That(config.Generation.RepetitionPenalty, Is.EqualTo(1.1f));
            Assert.That(config.Generation.MinP, Is.EqualTo(0.05f));
            Assert.That(config.Generation.Temperature, Is.Null);
            Assert.That(without.EosIds, Is.EqualTo(new[] { 7 }));
        });
    }

    [TestCase("mamba", "", "model_type", "'mamba'")]
    [TestCase("custom", "\"auto_map\": {\"AutoModel\": \"m.M\"}", "model_type", "auto_map")]
    [TestCase("llama", "\"quantization_config\": {\"quant_method\": \"gptq\", \"bits\": 4}", "quantization_config", "gptq")]
    [TestCase("llama", "\"quantization_config\": {\"load_in_8bit\": true}", "quantization_config", "unnamed")]
    [TestCase("llama", "\"hidden_act\": \"mish\"", "hidden_act", "mish")]
    [TestCase("llama", "\"architectures\": [\"LlamaForSequenceClassification\"]", "architectures", "LlamaForSequenceClassification")]
    [TestCase("llama", "\"num_key_value_heads\": 3", "num_key_value_heads", "3")]
    [TestCase("llama", "\"num_attention_heads\": 6, \"head_dim\": null", "num_attention_heads", "6")]
    [TestCase("llama", "\"hidden_size\": 0", "hidden_size", "0")]
    [TestCase("llama", "\"hidden_size\": null", "hidden_size", "null")]
    [TestCase("llama", "\"hidden_size\": \"64\"", "hidden_size", "64")]
    [TestCase("llama", "\"num_hidden_layers\": 2000000000", "num_hidden_layers", "2000000000")]
    [TestCase("llama", "\"rms_norm_eps\": -1", "rms_norm_eps", "-1")]
    [TestCase("llama", "\"tie_word_embeddings\": \"no\"", "tie_word_embeddings", "no")]
    [TestCase("llama", "\"eos_token_id\": \"</s>\"", "eos_token_id", "</s>")]
    [TestCase("gemma2", "\"layer_types\": [\"full_attention\"]", "layer_types", "1")]
    [TestCase("gemma2", "\"layer_types\": [\"full_attention\", \"chunked_attention\", \"full_attention\", \"full_attention\"]", "layer_types", "chunked_attention")]
    [TestCase("gemma2", "\"query_pre_attn_scalar\": 0", "query_pre_attn_scalar", "0")]
    [TestCase("gemma2", "\"use_bidirectional_attention\": true", "use_bidirectional_attention", "true")]
    [TestCase("gpt2", "\"add_cross_attention\": true", "add_cross_attention", "true")]
    [TestCase("mistral", "\"sliding_window\": 0", "sliding_window", "0")]
    public void Refusals_name_file_field_and_what_was_found(string type, string fields, string field, string found)
    {
        CheckpointException refusal = Configs.Refused(type, fields);
        Assert.Multiple(() =>
        {
            Assert.That(refusal.Field, Is.EqualTo(field));
            Assert.That(refusal.Found, Does.Contain(found));
            Assert.That(refusal.Message, Does.StartWith("config.json: "));
        });
    }

    [TestCase("[]")]
    [TestCase("")]
    [TestCase("{\"model_type\": \"llama\", \"model_type\": \"llama\"}")]
    [TestCase("{\"model_type\": 3}")]
    [TestCase("{}")]
    [TestCase("{\"model_type\": \"\\ud800\"}")]
    public void Text_that_is_no_config_is_refused(string text) =>
        Assert.That(() => Configs.ParseText(text), Throws.TypeOf<CheckpointException>());

    [Test]
    public void Twelve_thousand_hostile_configs_give_typed_errors_and_small_allocations()
    {
        string[] values =
        [
            "null", "-1", "0", "1", "3", "2147483647", "2147483648", "1e308", "1e-320", "0.5", "true", "\"\"", "\"x\"", "\"\\ud800\"",
            "[]", "[null]", "[-1, 2147483647]", "[\"full_attention\"]", "{}", "{\"rope_type\": \"yarn\"}",
            "{\"rope_type\": \"longrope\", \"short_factor\": [1], \"long_factor\": []}", "{\"type\": \"dynamic\", \"factor\": 1e30}",
            "{\"rope_type\": \"yarn\", \"factor\": 2, \"beta_fast\": 1e-300}", "{\"a\": {}, \"b\": {}}", "{\"\\ud800\": 1}", "{\"a\": {\"t\": \"\\ud800\"}, \"b\": {\"t\": \"\\udfff\"}}", "[[[[[[]]]]]]",
        ];
        string[] keys =
        [
            "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim",
            "max_position_embeddings", "vocab_size", "rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "hidden_act",
            "hidden_activation", "activation_function", "tie_word_embeddings", "rope_theta", "rope_scaling", "rope_parameters",
            "partial_rotary_factor", "rotary_pct", "sliding_window", "use_sliding_window", "max_window_layers", "layer_types",
            "attn_logit_softcapping", "final_logit_softcapping", "query_pre_attn_scalar", "eos_token_id", "bos_token_id",
            "pad_token_id", "quantization_config", "architectures", "n_inner", "n_embd", "original_max_position_embeddings",
            "attention_bias", "use_parallel_residual", "auto_map",
        ];
        var random = new Random(7);
        int accepted = 0, refused = 0;
        for (int i = 0; i < 12_000; i++)
        {
            string fields = string.Join(", ", Enumerable.Range(0, 1 + random.Next(3)).Select(_ => keys[random.Next(keys.Length)]).Distinct()
                .Select(key => $"\"{key}\": {values[random.Next(values.Length)]}"));
            byte[] config = Encoding.UTF8.GetBytes(Configs.Text(Families[i % Families.Length], fields));
            if (i % 3 == 0) config = Mutation.Of(config, random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                ModelConfig model = ModelConfig.Parse(config);
                if (model.Rope is RopeConfig rope) _ = new RotaryFrequencies(rope).InverseFrequencies(1000);
                accepted++;
            }
            catch (CheckpointException)
            {
                refused++;
            }

            Assert.That(
                GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(20_000_000),
                i.ToString(CultureInfo.InvariantCulture));
        }

        Assert.That((accepted, refused), Is.GreaterThan((1000, 1000)).Using<(int A, int R)>((x, y) => Math.Min(x.A - y.A, x.R - y.R)));
    }
}

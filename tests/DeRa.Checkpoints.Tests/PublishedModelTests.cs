using DeRa.Kernels;

namespace DeRa.Checkpoints.Tests;

/// <summary>
/// The sizes and switches that published models state, under the keys they state them with, and what transformers makes of them. Values the
/// model's own config.json leaves to the class are left out here too.
/// </summary>
[TestFixture]
public sealed class PublishedModelTests
{
    [TestCase(
        """
        "model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008, "num_attention_heads": 32, "num_key_value_heads": 32,
        "num_hidden_layers": 32, "vocab_size": 32000, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "rope_scaling": null,
        "pretraining_tp": 1, "tie_word_embeddings": false
        """,
        128, 128, 32, 1e4, RopeType.Default, false, null, TestName = "Llama-2-7b")]
    [TestCase(
        """
        "model_type": "llama", "hidden_size": 2048, "intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 8,
        "head_dim": 64, "num_hidden_layers": 16, "vocab_size": 128256, "max_position_embeddings": 131072, "rope_theta": 500000.0,
        "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"},
        "tie_word_embeddings": true
        """,
        64, 64, 8, 5e5, RopeType.Llama3, true, null, TestName = "Llama-3.2-1B")]
    [TestCase(
        """
        "model_type": "llama", "hidden_size": 2048, "intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 8,
        "head_dim": 64, "num_hidden_layers": 16, "vocab_size": 128256, "max_position_embeddings": 131072, "dtype": "bfloat16",
        "rope_parameters": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 8192,
                            "rope_theta": 500000.0, "rope_type": "llama3"}, "tie_word_embeddings": true
        """,
        64, 64, 8, 5e5, RopeType.Llama3, true, null, TestName = "Llama-3.2-1B saved by transformers 5")]
    [TestCase(
        """
        "model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9, "num_key_value_heads": 3,
        "num_hidden_layers": 30, "vocab_size": 49152, "max_position_embeddings": 2048, "rope_theta": 10000.0, "tie_word_embeddings": true
        """,
        64, 64, 3, 1e4, RopeType.Default, true, null, TestName = "SmolLM-135M")]
    [TestCase(
        """
        "model_type": "mistral", "hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": 32, "num_key_value_heads": 8,
        "num_hidden_layers": 32, "vocab_size": 32000, "max_position_embeddings": 32768, "rope_theta": 10000.0, "sliding_window": 4096,
        "tie_word_embeddings": false
        """,
        128, 128, 8, 1e4, RopeType.Default, false, 4096, TestName = "Mistral-7B-v0.1, zephyr-7b-beta")]
    [TestCase(
        """
        "model_type": "mistral", "hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": 32, "num_key_value_heads": 8,
        "num_hidden_layers": 32, "vocab_size": 32768, "max_position_embeddings": 32768, "rope_theta": 1000000.0, "sliding_window": null,
        "tie_word_embeddings": false
        """,
        128, 128, 8, 1e6, RopeType.Default, false, null, TestName = "Mistral-7B-v0.3")]
    [TestCase(
        """
        "model_type": "qwen2", "hidden_size": 3584, "intermediate_size": 18944, "num_attention_heads": 28, "num_key_value_heads": 4,
        "num_hidden_layers": 28, "vocab_size": 152064, "max_position_embeddings": 32768, "rope_theta": 1000000.0, "sliding_window": 131072,
        "max_window_layers": 28, "use_sliding_window": false, "tie_word_embeddings": false,
        "rope_scaling": {"factor": 4.0, "original_max_position_embeddings": 32768, "type": "yarn"}
        """,
        128, 128, 4, 1e6, RopeType.Yarn, false, null, TestName = "Qwen2.5-7B-Instruct with the yarn block of its card")]
    [TestCase(
        """
        "model_type": "qwen3", "hidden_size": 1024, "intermediate_size": 3072, "num_attention_heads": 16, "num_key_value_heads": 8,
        "head_dim": 128, "num_hidden_layers": 28, "vocab_size": 151936, "max_position_embeddings": 40960, "rope_theta": 1000000,
        "rope_scaling": null, "sliding_window": null, "max_window_layers": 28, "use_sliding_window": false, "tie_word_embeddings": true
        """,
        128, 128, 8, 1e6, RopeType.Default, true, null, TestName = "Qwen3-0.6B")]
    [TestCase(
        """
        "model_type": "gpt_neox", "hidden_size": 2560, "intermediate_size": 10240, "num_attention_heads": 32, "num_hidden_layers": 32,
        "vocab_size": 50304, "max_position_embeddings": 2048, "rotary_emb_base": 10000, "rotary_pct": 0.25, "use_parallel_residual": true,
        "tie_word_embeddings": false
        """,
        80, 20, 32, 1e4, RopeType.Default, false, null, TestName = "pythia-2.8b")]
    [TestCase(
        """
        "model_type": "gpt_neox", "hidden_size": 6144, "intermediate_size": 24576, "num_attention_heads": 64, "num_hidden_layers": 44,
        "vocab_size": 50432, "max_position_embeddings": 2048, "hidden_act": "gelu_fast", "tie_word_embeddings": false,
        "rope_parameters": {"partial_rotary_factor": 0.25, "rope_theta": 10000, "rope_type": "default"}
        """,
        96, 24, 64, 1e4, RopeType.Default, false, null, TestName = "gpt-neox-20b saved by transformers 5")]
    [TestCase(
        """
        "model_type": "phi3", "hidden_size": 3072, "intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 32,
        "num_hidden_layers": 32, "vocab_size": 32064, "max_position_embeddings": 4096, "original_max_position_embeddings": 4096,
        "rope_theta": 10000.0, "rope_scaling": null, "sliding_window": 2047, "tie_word_embeddings": false,
        "auto_map": {"AutoConfig": "configuration_phi3.Phi3Config"}
        """,
        96, 96, 32, 1e4, RopeType.Default, false, 2047, TestName = "Phi-3-mini-4k-instruct")]
    [TestCase(
        """
        "model_type": "gemma", "hidden_size": 2048, "intermediate_size": 16384, "num_attention_heads": 8, "num_key_value_heads": 1,
        "head_dim": 256, "num_hidden_layers": 18, "vocab_size": 256000, "max_position_embeddings": 8192, "hidden_act": "gelu",
        "rope_theta": 10000.0, "rope_scaling": null
        """,
        256, 256, 1, 1e4, RopeType.Default, true, null, TestName = "gemma-2b")]
    public void Sizes_rotation_and_windows(
        string fields, int headDim, int rotaryDim, int kvHeads, double theta, RopeType rope, bool tied, int? window)
    {
        ModelConfig config = Configs.ParseText($"{{{fields}}}");
        Assert.Multiple(() =>
        {
            Assert.That(config.HeadDim, Is.EqualTo(headDim));
            Assert.That(config.Rope!.RotaryDim, Is.EqualTo(rotaryDim));
            Assert.That(config.NumKvHeads, Is.EqualTo(kvHeads));
            Assert.That(config.Rope.Theta, Is.EqualTo(theta));
            Assert.That(config.Rope.Type, Is.EqualTo(rope));
            Assert.That(config.TieWordEmbeddings, Is.EqualTo(tied));
            Assert.That(config.SlidingWindows, Is.All.EqualTo(window));
            Assert.That(config.AttentionScales, Is.All.EqualTo((float)(1 / Math.Sqrt(headDim))));
        });
    }

    [TestCase("su")]
    [TestCase("longrope")]
    public void Phi3_mini_128k_stretches_by_the_ratio_of_its_lengths(string type)
    {
        string divisors = string.Join(", ", Enumerable.Repeat("1.05", 48));
        ModelConfig config = Configs.ParseText($$"""
            {"model_type": "phi3", "max_position_embeddings": 131072, "original_max_position_embeddings": 4096, "sliding_window": 262144,
             "rope_scaling": {"type": "{{type}}", "short_factor": [{{divisors}}], "long_factor": [{{divisors}}] } }
            """);
        var frequencies = new RotaryFrequencies(config.Rope!);
        Assert.Multiple(() =>
        {
            Assert.That(config.Rope!.Type, Is.EqualTo(RopeType.LongRope));
            Assert.That(frequencies.AttentionFactor(10), Is.EqualTo(Math.Sqrt(1 + (5.0 / 12))).Within(1e-12)); // ln 32 / ln 4096
            Assert.That((frequencies.Regime(4096), frequencies.Regime(4097)), Is.EqualTo((0, 1)));
        });
    }

    [Test]
    public void Phi4_mini_rotates_three_quarters_of_a_head()
    {
        string divisors = string.Join(", ", Enumerable.Repeat("1", 48));
        ModelConfig config = Configs.ParseText($$"""
            {"model_type": "phi3", "hidden_size": 3072, "num_attention_heads": 24, "num_key_value_heads": 8, "partial_rotary_factor": 0.75,
             "tie_word_embeddings": true, "max_position_embeddings": 131072, "original_max_position_embeddings": 4096,
             "rope_scaling": {"type": "longrope", "short_factor": [{{divisors}}], "long_factor": [{{divisors}}] } }
            """);
        Assert.That((config.HeadDim, config.Rope!.RotaryDim, config.TieWordEmbeddings), Is.EqualTo((128, 96, true)));
    }

    [Test]
    public void Yarn_of_qwen_counts_the_factor_as_written()
    {
        RopeConfig rope = Configs.ParseText("""
            {"model_type": "qwen2", "max_position_embeddings": 32768, "rope_theta": 1000000.0,
             "rope_scaling": {"factor": 4.0, "original_max_position_embeddings": 32768, "type": "yarn"}}
            """).Rope!;
        Assert.That((rope.Factor, rope.OriginalMaxPositionEmbeddings), Is.EqualTo((4.0, 32768)));
        Assert.That(new RotaryFrequencies(rope).AttentionFactor(1), Is.EqualTo(1 + (0.1 * Math.Log(4))).Within(1e-12));
    }

    [TestCase(3584, 16, 8, 256, 42, 256, TestName = "gemma-2-9b")]
    [TestCase(4608, 32, 16, 128, 46, 144, TestName = "gemma-2-27b")]
    public void Gemma2_alternates_windows_and_scales_by_its_scalar(int hidden, int heads, int kvHeads, int headDim, int layers, int scalar)
    {
        ModelConfig config = Configs.ParseText($$"""
            {"model_type": "gemma2", "hidden_size": {{hidden}}, "num_attention_heads": {{heads}}, "num_key_value_heads": {{kvHeads}},
             "head_dim": {{headDim}}, "num_hidden_layers": {{layers}}, "query_pre_attn_scalar": {{scalar}}, "sliding_window": 4096,
             "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh", "attn_logit_softcapping": 50.0,
             "final_logit_softcapping": 30.0, "cache_implementation": "hybrid"}
            """);
        Assert.Multiple(() =>
        {
            Assert.That(config.SlidingWindows, Is.EqualTo(Enumerable.Range(0, layers).Select(layer => layer % 2 == 0 ? (int?)4096 : null)));
            Assert.That(config.AttentionScales, Is.All.EqualTo((float)(1 / Math.Sqrt(scalar))));
            Assert.That(config.EmbeddingScale, Is.EqualTo((float)Math.Sqrt(hidden)));
            Assert.That((config.AttentionSoftCap, config.LogitSoftCap, config.TieWordEmbeddings), Is.EqualTo((50f, 30f, true)));
        });
    }

    [Test]
    public void Gpt2_and_its_distillation_differ_in_depth_alone()
    {
        const string Fields = """
            "model_type": "gpt2", "activation_function": "gelu_new", "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_positions": 1024,
            "vocab_size": 50257, "layer_norm_epsilon": 1e-05, "bos_token_id": 50256, "eos_token_id": 50256,
            "task_specific_params": {"text-generation": {"do_sample": true, "max_length": 50}}
            """;
        ModelConfig gpt2 = Configs.ParseText($"{{{Fields}, \"n_layer\": 12}}"), distilled = Configs.ParseText($"{{{Fields}, \"n_layer\": 6}}");
        Assert.Multiple(() =>
        {
            Assert.That((gpt2.NumLayers, distilled.NumLayers), Is.EqualTo((12, 6)));
            Assert.That((gpt2.HeadDim, gpt2.IntermediateSize, gpt2.Activation, gpt2.TieWordEmbeddings), Is.EqualTo((64, 3072, ActivationKind.GeluTanh, true)));
            Assert.That(gpt2.EosIds, Is.EqualTo(new[] { 50256 }));
        });
    }

    [Test]
    public void Instruct_models_end_at_any_token_of_their_list()
    {
        ModelConfig config = Configs.ParseText(
            """{"model_type": "llama", "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009]}""");
        Assert.That(config.EosIds, Is.EqualTo(new[] { 128001, 128008, 128009 }));
    }
}

namespace DeRa.Models.Tests;

/// <summary>Configurations beyond the golden files, by name: every one differs from a golden case in what its name says. Sizes are odd on purpose.</summary>
internal static class Variants
{
    // Before what uses them: fields are initialised in this order.
    private static readonly string[] ShortFactors = ["1.0", "1.1", "1.2", "1.3", "1.5", "1.7"], LongFactors = ["1.0", "1.5", "2.0", "3.0", "5.0", "9.0"];

    private static readonly Dictionary<string, string> Configs = new()
    {
        ["llama, rope linear"] = Llama(""" "rope_scaling": {"type": "linear", "factor": 2.5} """),
        ["llama, rope dynamic past its length"] = Llama(
            """ "rope_scaling": {"rope_type": "dynamic", "factor": 2.0} """, positions: 24),
        ["llama, rope llama3"] = Llama("""
            "rope_scaling": {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                             "original_max_position_embeddings": 32}
            """),
        ["llama, rope yarn"] = Llama(
            """ "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32} """, positions: 128),
        ["llama, biases on attention and mlp"] = Llama(""" "attention_bias": true, "mlp_bias": true """),
        ["llama, one key-value head"] = Llama(""" "rope_theta": 500.0 """, kvHeads: 1),
        ["llama, rope parameters of transformers 5"] = Llama(""" "rope_parameters": {"rope_type": "linear", "factor": 3.0, "rope_theta": 777.0} """),
        ["mistral, head wider than hidden / heads"] = Llama(""" "head_dim": 22, "sliding_window": 5 """, "mistral"),
        ["qwen2, sliding from layer max_window_layers"] = Llama(
            """ "use_sliding_window": true, "sliding_window": 6, "max_window_layers": 1 """, "qwen2"),
        ["qwen3, head narrower than hidden / heads"] = Llama(""" "head_dim": 6, "attention_bias": false """, "qwen3"),
        ["phi3, longrope within its length"] = Phi3(64),
        ["phi3, longrope past its length"] = Phi3(20),
        ["phi3, half of a head rotated, tied, sliding"] = Phi3(
            20, factors: 3, tied: true, window: "11", extra: """ "partial_rotary_factor": 0.5, """, type: "su"),
        ["qwen2, longrope with its own factors, tied"] = Llama(
            """
            "original_max_position_embeddings": 30, "rope_scaling": {"rope_type": "longrope", "attention_factor": 1.25,
            "short_factor": [1, 1.5, 2, 2.5, 3], "long_factor": [2, 3, 4, 5, 6]}
            """,
            "qwen2", positions: 240, tied: true),
        ["qwen3, yarn with magnitudes and a ramp between frequencies, tied"] = Llama(
            """
            "rope_parameters": {"rope_type": "yarn", "rope_theta": 900.0, "factor": 3.0, "original_max_position_embeddings": 40,
            "mscale": 0.8, "mscale_all_dim": 0.3, "beta_fast": 6.5, "beta_slow": 0.7, "truncate": false}, "head_dim": 20
            """,
            "qwen3", positions: 120, tied: true),
        ["gemma, dynamic past its length, biases, own head"] = Llama(
            """
            "head_dim": 14, "attention_bias": true, "hidden_activation": "gelu_pytorch_tanh",
            "rope_scaling": {"type": "dynamic", "factor": 3.0}
            """,
            "gemma", 1, positions: 16, activation: "gelu_pytorch_tanh", tied: false),
        ["mistral, llama3 frequencies, squared relu, window of one"] = Llama(
            """
            "sliding_window": 1, "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 0.5, "high_freq_factor": 3.0,
            "original_max_position_embeddings": 20}
            """,
            "mistral", 4, activation: "relu2"),
        ["gemma"] = Llama(""" "head_dim": 16, "hidden_activation": "gelu_pytorch_tanh" """, "gemma", activation: "gelu_pytorch_tanh"),
        ["gemma2, one key-value head"] = Llama(
            """
            "head_dim": 12, "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 20, "sliding_window": 7,
            "attn_logit_softcapping": 4.0, "final_logit_softcapping": 6.0
            """,
            "gemma2", 1, activation: "gelu_pytorch_tanh"),
        ["gpt2, scale by layer, inner width, relu"] = Gpt2(
            """ "scale_attn_by_inverse_layer_idx": true, "n_inner": 75, "activation_function": "relu" """),
        ["gpt2, unscaled attention, exact gelu"] = Gpt2(""" "scale_attn_weights": false, "activation_function": "gelu" """),
        ["neox, no attention bias, parallel"] = NeoX(""" "attention_bias": false, "use_parallel_residual": true, "rotary_pct": 0.5 """),
        ["neox, whole head rotated, sequential"] = NeoX(
            """ "use_parallel_residual": false, "rotary_pct": 1.0, "rope_scaling": {"type": "linear", "factor": 2.0} """),
        ["neox, dynamic past its length over a part of a head"] = NeoX(
            """ "rotary_pct": 0.5, "rope_scaling": {"type": "dynamic", "factor": 4.0} """, "gelu_fast", 20),
        ["neox, yarn over a part of a head"] = NeoX(
            """ "rope_parameters": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 100.0, "partial_rotary_factor": 0.75} """, "quick_gelu"),
        ["neox, tanh gelu"] = NeoX(""" "use_parallel_residual": true, "rotary_pct": 0.25, "rotary_emb_base": 300 """, "gelu_new"),
    };

    public static IEnumerable<string> Names => Configs.Keys;

    public static string Config(string name) => Configs[name];

    /// <summary>A configuration of Llama's kin: hidden 40, 4 heads, 3 layers, vocabulary 123.</summary>
    public static string Llama(
        string extra, string type = "llama", int kvHeads = 2, int positions = 256, string activation = "silu", int vocabulary = 123,
        bool? tied = null) => $$"""
        {
            "model_type": "{{type}}", "architectures": ["{{Architecture(type)}}"], "hidden_size": 40, "intermediate_size": 77,
            "num_attention_heads": 4, "num_key_value_heads": {{kvHeads}}, "num_hidden_layers": 3, "vocab_size": {{vocabulary}},
            "max_position_embeddings": {{positions}}, "rms_norm_eps": 1e-5, "hidden_act": "{{activation}}",
            "tie_word_embeddings": {{(tied ?? type.StartsWith("gemma", StringComparison.Ordinal) ? "true" : "false")}}, {{extra}}
        }
        """;

    private static string Architecture(string type) => type switch
    {
        "qwen2" => "Qwen2ForCausalLM",
        "qwen3" => "Qwen3ForCausalLM",
        "gemma2" => "Gemma2ForCausalLM",
        "gemma" => "GemmaForCausalLM",
        "mistral" => "MistralForCausalLM",
        _ => "LlamaForCausalLM",
    };

    private static string Phi3(
        int original, int factors = 6, bool tied = false, string window = "null", string extra = "", string type = "longrope") => $$"""
        {
            "model_type": "phi3", "architectures": ["Phi3ForCausalLM"], "hidden_size": 48, "intermediate_size": 77, "num_attention_heads": 4,
            "num_key_value_heads": 2, "num_hidden_layers": 3, "vocab_size": 123, "max_position_embeddings": 256, "rms_norm_eps": 1e-5,
            "hidden_act": "silu", "tie_word_embeddings": {{(tied ? "true" : "false")}}, {{extra}} "original_max_position_embeddings": {{original}}, "sliding_window": {{window}},
            "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "rope_theta": 10000.0,
            "rope_scaling": {"type": "{{type}}", "short_factor": [{{string.Join(", ", ShortFactors[..factors])}}],
                             "long_factor": [{{string.Join(", ", LongFactors[..factors])}}]}
        }
        """;

    private static string Gpt2(string extra) => $$"""
        {
            "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": 44, "n_head": 4, "n_layer": 3, "n_positions": 64,
            "vocab_size": 123, "layer_norm_epsilon": 1e-5, {{extra}}
        }
        """;

    private static string NeoX(string extra, string activation = "gelu", int positions = 256) => $$"""
        {
            "model_type": "gpt_neox", "architectures": ["GPTNeoXForCausalLM"], "hidden_size": 48, "intermediate_size": 77,
            "num_attention_heads": 3, "num_hidden_layers": 3, "vocab_size": 123, "max_position_embeddings": {{positions}}, "layer_norm_eps": 1e-5,
            "hidden_act": "{{activation}}", "tie_word_embeddings": false, {{extra}}
        }
        """;
}

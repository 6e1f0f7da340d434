using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.PairTrainer.Bpe;
using DeRa.PairTrainer.Model;

namespace DeRa.PairTrainer.Export;

/// <summary>Writes a model as a Hugging Face folder of the Llama architecture.</summary>
internal static class CheckpointFolder
{
    private const string WeightsFile = "model.safetensors";

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes weights, configuration and tokenizer.</summary>
    public static void Write(string folder, LlamaParameters<float> parameters, BpeTokenizer tokenizer)
    {
        Directory.CreateDirectory(folder);
        using (FileStream stream = File.Create(Path.Combine(folder, WeightsFile)))
            Safetensors.Write(stream, parameters);
        WriteJson(folder, "config.json", ModelConfig(parameters.Config));
        WriteJson(folder, "generation_config.json", new JsonObject
        {
            ["bos_token_id"] = SpecialTokens.BeginId,
            ["eos_token_id"] = SpecialTokens.EndId,
            ["pad_token_id"] = SpecialTokens.EndId,
            ["do_sample"] = true,
            ["temperature"] = 1.0,
        });
        WriteJson(folder, "tokenizer.json", TokenizerFiles.Tokenizer(tokenizer));
        WriteJson(folder, "tokenizer_config.json", TokenizerFiles.Configuration(parameters.Config.MaxPositions));
    }

    /// <summary>Reads the weights of a folder that <see cref="Write"/> made.</summary>
    public static LlamaParameters<float> Read(string folder, LlamaConfig config)
    {
        LlamaParameters<float> parameters = new(config);
        Safetensors.Read(File.ReadAllBytes(Path.Combine(folder, WeightsFile)), parameters);
        return parameters;
    }

    private static JsonObject ModelConfig(LlamaConfig config) => new()
    {
        ["architectures"] = new JsonArray("LlamaForCausalLM"),
        ["attention_bias"] = false,
        ["attention_dropout"] = 0.0,
        ["bos_token_id"] = SpecialTokens.BeginId,
        ["eos_token_id"] = SpecialTokens.EndId,
        ["pad_token_id"] = SpecialTokens.EndId,
        ["head_dim"] = config.HeadDim,
        ["hidden_act"] = "silu",
        ["hidden_size"] = config.HiddenSize,
        ["initializer_range"] = 0.02,
        ["intermediate_size"] = config.IntermediateSize,
        ["max_position_embeddings"] = config.MaxPositions,
        ["mlp_bias"] = false,
        ["model_type"] = "llama",
        ["num_attention_heads"] = config.NumHeads,
        ["num_hidden_layers"] = config.NumLayers,
        ["num_key_value_heads"] = config.NumKvHeads,
        ["pretraining_tp"] = 1,
        ["rms_norm_eps"] = LlamaConfig.RmsNormEps,
        ["rope_scaling"] = null,
        ["rope_theta"] = LlamaConfig.RopeTheta,
        ["tie_word_embeddings"] = false,
        ["torch_dtype"] = "bfloat16",
        ["use_cache"] = true,
        ["vocab_size"] = config.VocabSize,
    };

    private static void WriteJson(string folder, string name, JsonObject content) =>
        File.WriteAllText(Path.Combine(folder, name), content.ToJsonString(Json) + "\n", new UTF8Encoding(false));
}

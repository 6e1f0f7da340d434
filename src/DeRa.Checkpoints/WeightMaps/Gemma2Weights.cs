namespace DeRa.Checkpoints.WeightMaps;

/// <summary>Names of gemma2: Llama's with a norm before and after each block (transformers, models/gemma2/modeling_gemma2.py).</summary>
internal static class Gemma2Weights
{
    /// <summary>Maps every tensor.</summary>
    public static TransformerWeights Map(ModelConfig config, WeightSource source)
    {
        TransformerWeights llama = LlamaWeights.Map(config, source);
        return llama with { Layers = [.. llama.Layers.Select((layer, index) => WithNorms(config, source, layer, $"layers.{index}."))] };
    }

    private static LayerWeights WithNorms(ModelConfig config, WeightSource source, LayerWeights layer, string at) => layer with
    {
        PreFeedforwardNorm = source.Backbone(at + "pre_feedforward_layernorm.weight", config.HiddenSize),
        PostFeedforwardNorm = source.Backbone(at + "post_feedforward_layernorm.weight", config.HiddenSize),
    };
}

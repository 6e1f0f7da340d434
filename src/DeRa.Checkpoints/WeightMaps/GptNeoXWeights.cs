namespace DeRa.Checkpoints.WeightMaps;

/// <summary>Names of gpt_neox (transformers, models/gpt_neox/modeling_gpt_neox.py).</summary>
internal static class GptNeoXWeights
{
    /// <summary>Maps every tensor.</summary>
    public static TransformerWeights Map(ModelConfig config, WeightSource source)
    {
        (CheckpointTensor embedding, CheckpointTensor head) =
            WeightMap.EmbeddingAndHead(config, source, "embed_in.weight", "embed_out.weight");
        return new TransformerWeights
        {
            Embedding = embedding,
            Layers = [.. Enumerable.Range(0, config.NumLayers).Select(layer => Layer(config, source, $"layers.{layer}."))],
            FinalNorm = source.Backbone("final_layer_norm.weight", config.HiddenSize),
            FinalNormBias = source.Backbone("final_layer_norm.bias", config.HiddenSize),
            OutputHead = head,
        };
    }

    private static LayerWeights Layer(ModelConfig config, WeightSource source, string at)
    {
        long hidden = config.HiddenSize, intermediate = config.IntermediateSize;
        return new LayerWeights
        {
            InputNorm = source.Backbone(at + "input_layernorm.weight", hidden),
            InputNormBias = source.Backbone(at + "input_layernorm.bias", hidden),
            QkvProj = source.Backbone(at + "attention.query_key_value.weight", 3 * hidden, hidden),
            QkvBias = source.BackboneIf(config.QkvBias, at + "attention.query_key_value.bias", 3 * hidden),
            OProj = source.Backbone(at + "attention.dense.weight", hidden, hidden),
            OBias = source.BackboneIf(config.OutputProjectionBias, at + "attention.dense.bias", hidden),
            PostAttentionNorm = source.Backbone(at + "post_attention_layernorm.weight", hidden),
            PostAttentionNormBias = source.Backbone(at + "post_attention_layernorm.bias", hidden),
            UpProj = source.Backbone(at + "mlp.dense_h_to_4h.weight", intermediate, hidden),
            UpBias = source.Backbone(at + "mlp.dense_h_to_4h.bias", intermediate),
            DownProj = source.Backbone(at + "mlp.dense_4h_to_h.weight", hidden, intermediate),
            DownBias = source.Backbone(at + "mlp.dense_4h_to_h.bias", hidden),
        };
    }
}

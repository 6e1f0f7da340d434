namespace DeRa.Checkpoints.WeightMaps;

/// <summary>Names of phi3: fused QKV and fused gate/up (transformers, models/phi3/modeling_phi3.py).</summary>
internal static class Phi3Weights
{
    /// <summary>Maps every tensor.</summary>
    public static TransformerWeights Map(ModelConfig config, WeightSource source)
    {
        (CheckpointTensor embedding, CheckpointTensor head) =
            WeightMap.EmbeddingAndHead(config, source, "embed_tokens.weight", "lm_head.weight");
        return new TransformerWeights
        {
            Embedding = embedding,
            Layers = [.. Enumerable.Range(0, config.NumLayers).Select(layer => Layer(config, source, $"layers.{layer}."))],
            FinalNorm = source.Backbone("norm.weight", config.HiddenSize),
            OutputHead = head,
        };
    }

    private static LayerWeights Layer(ModelConfig config, WeightSource source, string at)
    {
        long hidden = config.HiddenSize, intermediate = config.IntermediateSize, headDim = config.HeadDim;
        long q = config.NumHeads * headDim, kv = config.NumKvHeads * headDim;
        return new LayerWeights
        {
            InputNorm = source.Backbone(at + "input_layernorm.weight", hidden),
            QkvProj = source.Backbone(at + "self_attn.qkv_proj.weight", q + (2 * kv), hidden),
            OProj = source.Backbone(at + "self_attn.o_proj.weight", hidden, q),
            PostAttentionNorm = source.Backbone(at + "post_attention_layernorm.weight", hidden),
            GateUpProj = source.Backbone(at + "mlp.gate_up_proj.weight", 2 * intermediate, hidden),
            DownProj = source.Backbone(at + "mlp.down_proj.weight", hidden, intermediate),
        };
    }
}

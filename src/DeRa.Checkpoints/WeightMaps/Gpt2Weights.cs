namespace DeRa.Checkpoints.WeightMaps;

/// <summary>Names of gpt2, whose linear weights are stored [in, out] (transformers, models/gpt2/modeling_gpt2.py, Conv1D).</summary>
internal static class Gpt2Weights
{
    /// <summary>Maps every tensor.</summary>
    public static TransformerWeights Map(ModelConfig config, WeightSource source)
    {
        (CheckpointTensor embedding, CheckpointTensor head) =
            WeightMap.EmbeddingAndHead(config, source, "wte.weight", "lm_head.weight");
        return new TransformerWeights
        {
            Embedding = embedding,
            PositionEmbedding = source.Backbone("wpe.weight", config.MaxPositionEmbeddings, config.HiddenSize),
            Layers = [.. Enumerable.Range(0, config.NumLayers).Select(layer => Layer(config, source, $"h.{layer}."))],
            FinalNorm = source.Backbone("ln_f.weight", config.HiddenSize),
            FinalNormBias = source.Backbone("ln_f.bias", config.HiddenSize),
            OutputHead = head,
            LinearWeightsAreInputMajor = true,
        };
    }

    private static LayerWeights Layer(ModelConfig config, WeightSource source, string at)
    {
        long hidden = config.HiddenSize, intermediate = config.IntermediateSize;
        return new LayerWeights
        {
            InputNorm = source.Backbone(at + "ln_1.weight", hidden),
            InputNormBias = source.Backbone(at + "ln_1.bias", hidden),
            QkvProj = source.Backbone(at + "attn.c_attn.weight", hidden, 3 * hidden),
            QkvBias = source.Backbone(at + "attn.c_attn.bias", 3 * hidden),
            OProj = source.Backbone(at + "attn.c_proj.weight", hidden, hidden),
            OBias = source.Backbone(at + "attn.c_proj.bias", hidden),
            PostAttentionNorm = source.Backbone(at + "ln_2.weight", hidden),
            PostAttentionNormBias = source.Backbone(at + "ln_2.bias", hidden),
            UpProj = source.Backbone(at + "mlp.c_fc.weight", hidden, intermediate),
            UpBias = source.Backbone(at + "mlp.c_fc.bias", intermediate),
            DownProj = source.Backbone(at + "mlp.c_proj.weight", intermediate, hidden),
            DownBias = source.Backbone(at + "mlp.c_proj.bias", hidden),
        };
    }
}

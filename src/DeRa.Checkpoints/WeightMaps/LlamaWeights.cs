namespace DeRa.Checkpoints.WeightMaps;

/// <summary>Names of llama, mistral, qwen2, qwen3 and gemma (transformers, models/llama/modeling_llama.py and its kin).</summary>
internal static class LlamaWeights
{
    /// <summary>Maps every tensor.</summary>
    public static TransformerWeights Map(ModelConfig config, WeightSource source, OutputKind output = OutputKind.Vocabulary)
    {
        (CheckpointTensor embedding, CheckpointTensor head) = output == OutputKind.Scalar
            ? WeightMap.EmbeddingAndScalar(config, source, "embed_tokens.weight")
            : WeightMap.EmbeddingAndHead(config, source, "embed_tokens.weight", "lm_head.weight");
        return new TransformerWeights
        {
            Embedding = embedding,
            Layers = [.. Enumerable.Range(0, config.NumLayers).Select(layer => Layer(config, source, $"layers.{layer}."))],
            FinalNorm = source.Backbone("norm.weight", config.HiddenSize),
            OutputHead = head,
        };
    }

    /// <summary>One layer; <paramref name="at"/> is the prefix of its names. Gemma-2 adds its norms to it.</summary>
    public static LayerWeights Layer(ModelConfig config, WeightSource source, string at)
    {
        long hidden = config.HiddenSize, intermediate = config.IntermediateSize, headDim = config.HeadDim;
        long q = config.NumHeads * headDim, kv = config.NumKvHeads * headDim;
        bool qkNorm = config.Architecture == Architecture.Qwen3;
        return new LayerWeights
        {
            InputNorm = source.Backbone(at + "input_layernorm.weight", hidden),
            QProj = source.Backbone(at + "self_attn.q_proj.weight", q, hidden),
            QBias = source.BackboneIf(config.QkvBias, at + "self_attn.q_proj.bias", q),
            KProj = source.Backbone(at + "self_attn.k_proj.weight", kv, hidden),
            KBias = source.BackboneIf(config.QkvBias, at + "self_attn.k_proj.bias", kv),
            VProj = source.Backbone(at + "self_attn.v_proj.weight", kv, hidden),
            VBias = source.BackboneIf(config.QkvBias, at + "self_attn.v_proj.bias", kv),
            QNorm = source.BackboneIf(qkNorm, at + "self_attn.q_norm.weight", headDim),
            KNorm = source.BackboneIf(qkNorm, at + "self_attn.k_norm.weight", headDim),
            OProj = source.Backbone(at + "self_attn.o_proj.weight", hidden, q),
            OBias = source.BackboneIf(config.OutputProjectionBias, at + "self_attn.o_proj.bias", hidden),
            PostAttentionNorm = source.Backbone(at + "post_attention_layernorm.weight", hidden),
            GateProj = source.Backbone(at + "mlp.gate_proj.weight", intermediate, hidden),
            GateBias = source.BackboneIf(config.MlpBias, at + "mlp.gate_proj.bias", intermediate),
            UpProj = source.Backbone(at + "mlp.up_proj.weight", intermediate, hidden),
            UpBias = source.BackboneIf(config.MlpBias, at + "mlp.up_proj.bias", intermediate),
            DownProj = source.Backbone(at + "mlp.down_proj.weight", hidden, intermediate),
            DownBias = source.BackboneIf(config.MlpBias, at + "mlp.down_proj.bias", hidden),
        };
    }
}

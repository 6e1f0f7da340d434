using DeRa.Checkpoints.Safetensors;

namespace DeRa.Checkpoints.WeightMaps;

/// <summary>Chooses the family's weight map and sorts out what it leaves over.</summary>
internal static class WeightMap
{
    // Constants that older checkpoints store beside the weights: rotary frequencies and causal masks.
    private static readonly string[] Buffers =
    [
        "rotary_emb.inv_freq", "rotary_emb.cos_cached", "rotary_emb.sin_cached", "rotary_emb.original_inv_freq",
        "rotary_emb.long_inv_freq", "attn.bias", "attn.masked_bias", "attention.bias", "attention.masked_bias",
        "embeddings.position_ids", "normalizer",
    ];

    // Companions of packed integers in the formats of GPTQ, AWQ, bitsandbytes, compressed-tensors and FP8.
    private static readonly string[] QuantisationMarks =
    [
        ".qweight", ".qzeros", ".scales", ".g_idx", ".weight_scale", ".weight_scale_inv", ".input_scale", ".weight_packed",
        ".weight_zero_point", ".absmax", ".quant_map", ".SCB", ".weight_format",
    ];

    private static readonly string[] AdapterMarks = [".lora_A", ".lora_B", ".lora_embedding_A", ".base_layer.", ".modules_to_save."];

    /// <summary>Maps a checkpoint's tensors to fields.</summary>
    /// <returns>The weights, and the names that were neither needed nor known buffers.</returns>
    /// <exception cref="CheckpointException">A tensor is missing or wrong, or the names show an unsupported format.</exception>
    public static (TransformerWeights Weights, IReadOnlyList<string> Unused) Map(
        ModelConfig config, string location, IReadOnlyDictionary<string, (SafetensorsFile File, SafetensorsTensor Tensor)> tensors,
        OutputKind output = OutputKind.Vocabulary)
    {
        RefuseMarked(location, tensors.Keys);
        if (output == OutputKind.Scalar && config.Architecture is not (Architecture.Llama or Architecture.Mistral or Architecture.Qwen2 or Architecture.Qwen3))
            throw new CheckpointException(location, "model_type", "llama, mistral, qwen2 or qwen3 for a model with a scalar head", config.ModelType);
        string prefix = config.Architecture switch
        {
            Architecture.GptNeoX => "gpt_neox.",
            Architecture.Gpt2 => "transformer.",
            _ => "model.",
        };
        var source = new WeightSource(location, tensors, prefix);
        TransformerWeights weights = config.Architecture switch
        {
            Architecture.GptNeoX => GptNeoXWeights.Map(config, source),
            Architecture.Gpt2 => Gpt2Weights.Map(config, source),
            Architecture.Phi3 => Phi3Weights.Map(config, source),
            Architecture.Gemma2 => Gemma2Weights.Map(config, source),
            _ => LlamaWeights.Map(config, source, output),
        };
        return (weights, [.. source.Unused.Where(static name => !IsBuffer(name))]);
    }

    /// <summary>The embedding and the output matrix, which is the embedding where the config ties them.</summary>
    /// <remarks>
    /// A tied checkpoint may store the output matrix too: the embedding counts. It may also have dropped the embedding's
    /// name instead of the output's when it was saved: then the one that is there is both.
    /// </remarks>
    public static (CheckpointTensor Embedding, CheckpointTensor Head) EmbeddingAndHead(
        ModelConfig config, WeightSource source, string embedding, string head)
    {
        long vocab = config.VocabSize, hidden = config.HiddenSize;
        if (!config.TieWordEmbeddings) return (source.Backbone(embedding, vocab, hidden), source.Exact(head, vocab, hidden));
        bool onlyHead = !source.HasBackbone(embedding) && source.Has(head);
        CheckpointTensor tied = onlyHead ? source.Exact(head, vocab, hidden) : source.Backbone(embedding, vocab, hidden);
        source.Ignore(head);
        return (tied, tied);
    }

    /// <summary>The embedding and a scalar head, [1, hidden]; a language model's output matrix is left unused.</summary>
    public static (CheckpointTensor Embedding, CheckpointTensor Head) EmbeddingAndScalar(ModelConfig config, WeightSource source, string embedding) =>
        (source.Backbone(embedding, config.VocabSize, config.HiddenSize), source.Exact("score.weight", 1, config.HiddenSize));

    private static bool IsBuffer(string name) =>
        Buffers.Any(buffer => name.EndsWith(buffer, StringComparison.Ordinal)
            && (name.Length == buffer.Length || name[^(buffer.Length + 1)] == '.'));

    private static void RefuseMarked(string location, IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            if (QuantisationMarks.Any(mark => name.EndsWith(mark, StringComparison.Ordinal)))
                throw new CheckpointException(location, name, "unquantised weights (F32, F16 or BF16)", "a tensor of a quantised format");
            if (AdapterMarks.Any(mark => name.Contains(mark, StringComparison.Ordinal)))
                throw new CheckpointException(location, name, "merged weights", "a tensor of an adapter (LoRA); merge it into its base model first");
        }
    }
}

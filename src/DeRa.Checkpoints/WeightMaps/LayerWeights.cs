namespace DeRa.Checkpoints;

/// <summary>
/// The weights of one layer; a field the family does not have is null. Shapes are given [out, in];
/// q = heads·headDim, kv = kvHeads·headDim.
/// </summary>
public sealed record LayerWeights
{
    /// <summary>Norm before attention, [hidden].</summary>
    public required CheckpointTensor InputNorm { get; init; }

    /// <summary>Its bias, [hidden].</summary>
    public CheckpointTensor? InputNormBias { get; init; }

    /// <summary>Query projection, [q, hidden].</summary>
    public CheckpointTensor? QProj { get; init; }

    /// <summary>Its bias, [q].</summary>
    public CheckpointTensor? QBias { get; init; }

    /// <summary>Key projection, [kv, hidden].</summary>
    public CheckpointTensor? KProj { get; init; }

    /// <summary>Its bias, [kv].</summary>
    public CheckpointTensor? KBias { get; init; }

    /// <summary>Value projection, [kv, hidden].</summary>
    public CheckpointTensor? VProj { get; init; }

    /// <summary>Its bias, [kv].</summary>
    public CheckpointTensor? VBias { get; init; }

    /// <summary>
    /// Fused projection in place of the three: Phi-3 and GPT-2 stack all queries, all keys, all values; GPT-NeoX stacks
    /// query, key and value head by head, [heads, 3, headDim].
    /// </summary>
    public CheckpointTensor? QkvProj { get; init; }

    /// <summary>Its bias.</summary>
    public CheckpointTensor? QkvBias { get; init; }

    /// <summary>RMSNorm of each query head before rotation, [headDim] (Qwen3).</summary>
    public CheckpointTensor? QNorm { get; init; }

    /// <summary>RMSNorm of each key head before rotation, [headDim] (Qwen3).</summary>
    public CheckpointTensor? KNorm { get; init; }

    /// <summary>Attention's output projection, [hidden, q].</summary>
    public required CheckpointTensor OProj { get; init; }

    /// <summary>Its bias, [hidden].</summary>
    public CheckpointTensor? OBias { get; init; }

    /// <summary>The second norm, [hidden]: before the MLP; for Gemma-2 on attention's output, before the residual is added.</summary>
    public required CheckpointTensor PostAttentionNorm { get; init; }

    /// <summary>Its bias, [hidden].</summary>
    public CheckpointTensor? PostAttentionNormBias { get; init; }

    /// <summary>Norm before the MLP, [hidden] (Gemma-2).</summary>
    public CheckpointTensor? PreFeedforwardNorm { get; init; }

    /// <summary>Norm on the MLP's output, before the residual is added, [hidden] (Gemma-2).</summary>
    public CheckpointTensor? PostFeedforwardNorm { get; init; }

    /// <summary>Gate projection of a gated MLP, [intermediate, hidden].</summary>
    public CheckpointTensor? GateProj { get; init; }

    /// <summary>Its bias, [intermediate].</summary>
    public CheckpointTensor? GateBias { get; init; }

    /// <summary>Up projection, or the first of a plain MLP, [intermediate, hidden].</summary>
    public CheckpointTensor? UpProj { get; init; }

    /// <summary>Its bias, [intermediate].</summary>
    public CheckpointTensor? UpBias { get; init; }

    /// <summary>Gate over up in one matrix, [2·intermediate, hidden], in place of the two (Phi-3).</summary>
    public CheckpointTensor? GateUpProj { get; init; }

    /// <summary>Down projection, or the second of a plain MLP, [hidden, intermediate].</summary>
    public required CheckpointTensor DownProj { get; init; }

    /// <summary>Its bias, [hidden].</summary>
    public CheckpointTensor? DownBias { get; init; }

    /// <summary>Every tensor the layer has.</summary>
    public IEnumerable<CheckpointTensor> All()
    {
        CheckpointTensor?[] fields =
        [
            InputNorm, InputNormBias, QProj, QBias, KProj, KBias, VProj, VBias, QkvProj, QkvBias, QNorm, KNorm, OProj, OBias,
            PostAttentionNorm, PostAttentionNormBias, PreFeedforwardNorm, PostFeedforwardNorm,
            GateProj, GateBias, UpProj, UpBias, GateUpProj, DownProj, DownBias,
        ];
        return fields.OfType<CheckpointTensor>();
    }
}

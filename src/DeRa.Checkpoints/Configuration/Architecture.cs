namespace DeRa.Checkpoints;

/// <summary>The model families the engine runs; each has one forward pass and one weight map.</summary>
public enum Architecture
{
    /// <summary><c>llama</c>: RMSNorm, gated MLP, grouped-query attention.</summary>
    Llama,

    /// <summary><c>mistral</c>: Llama with sliding-window attention.</summary>
    Mistral,

    /// <summary><c>qwen2</c>: Llama with biases on the query, key and value projections.</summary>
    Qwen2,

    /// <summary><c>qwen3</c>: Llama with per-head RMSNorm of queries and keys.</summary>
    Qwen3,

    /// <summary><c>gpt_neox</c>: LayerNorm, parallel or sequential residual, partial rotary, fused QKV interleaved per head.</summary>
    GptNeoX,

    /// <summary><c>gpt2</c>: LayerNorm, learned positions, input-major linear weights.</summary>
    Gpt2,

    /// <summary><c>phi3</c>: Llama with fused QKV and fused gate/up projections.</summary>
    Phi3,

    /// <summary><c>gemma</c>: RMSNorm with weight + 1, scaled embedding, GELU-gated MLP.</summary>
    Gemma,

    /// <summary><c>gemma2</c>: Gemma with norms after each block, soft-capping and alternating sliding windows.</summary>
    Gemma2,
}

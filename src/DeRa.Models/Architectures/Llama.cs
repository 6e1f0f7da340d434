using DeRa.Checkpoints;

namespace DeRa.Models;

/// <summary>
/// Llama: x += attention(rms(x)); x += down(silu(gate(rms(x))) · up(rms(x))), rotary positions, grouped key-value heads; biases where the config
/// asks for them.
/// </summary>
/// <remarks>Papers: arXiv 2302.13971, 2307.09288, 2407.21783. transformers: modeling_llama.py.</remarks>
internal sealed class Llama(Checkpoint checkpoint, PlacedWeights placed)
    : Transformer(checkpoint, placed, Layer)
{
    /// <summary>The layer, shared by the families that differ from Llama in their configuration alone.</summary>
    public static Block Layer(LayerParts parts) => new PreNormBlock(
        parts.RmsNorm(parts.Weights.InputNorm),
        parts.SeparateAttention(),
        parts.RmsNorm(parts.Weights.PostAttentionNorm),
        parts.SeparateGatedMlp());
}

using DeRa.Checkpoints;

namespace DeRa.Models;

/// <summary>Qwen3: Llama's layer with every query and key head normalised (rms over headDim, gain per element) before the rotation.</summary>
/// <remarks>Paper: arXiv 2505.09388. transformers: modeling_qwen3.py.</remarks>
internal sealed class Qwen3(Checkpoint checkpoint, PlacedWeights placed)
    : Transformer(checkpoint, placed, Layer)
{
    private static PreNormBlock Layer(LayerParts parts) => new(
        parts.RmsNorm(parts.Weights.InputNorm),
        parts.SeparateAttention(parts.HeadNorm()),
        parts.RmsNorm(parts.Weights.PostAttentionNorm),
        parts.SeparateGatedMlp());
}

using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>Phi-3: Llama's layer with q, k, v in one matrix and gate, up in another; rotary may cover a part of the head (Phi-4-mini).</summary>
/// <remarks>Paper: arXiv 2404.14219. transformers: modeling_phi3.py.</remarks>
internal sealed class Phi3(Checkpoint checkpoint, PlacedWeights placed)
    : Transformer(checkpoint, placed, Layer)
{
    private static PreNormBlock Layer(LayerParts parts) => new(
        parts.RmsNorm(parts.Weights.InputNorm),
        parts.FusedAttention(QkvLayout.Stacked(parts.Config.NumHeads, parts.Config.NumKvHeads, parts.Config.HeadDim)),
        parts.RmsNorm(parts.Weights.PostAttentionNorm),
        parts.FusedGatedMlp());
}

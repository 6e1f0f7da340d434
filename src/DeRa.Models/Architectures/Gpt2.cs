using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// GPT-2: learned positions added to the embedding, layer norms with biases, input-major matrices (Conv1D), an MLP without gate; the scale of
/// the scores may shrink with the layer (<c>scale_attn_by_inverse_layer_idx</c>), as the configuration's scale per layer says.
/// </summary>
/// <remarks>Paper: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners". transformers: modeling_gpt2.py.</remarks>
internal sealed class Gpt2(Checkpoint checkpoint, PlacedWeights placed)
    : Transformer(checkpoint, placed, Layer)
{
    private static PreNormBlock Layer(LayerParts parts) => new(
        parts.LayerNorm(parts.Weights.InputNorm, parts.Weights.InputNormBias),
        parts.FusedAttention(QkvLayout.Stacked(parts.Config.NumHeads, parts.Config.NumKvHeads, parts.Config.HeadDim)),
        parts.LayerNorm(parts.Weights.PostAttentionNorm, parts.Weights.PostAttentionNormBias),
        parts.PlainMlp());
}

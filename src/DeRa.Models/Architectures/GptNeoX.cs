using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// GPT-NeoX and Pythia: layer norms with biases, rotation of a part of every head, q, k, v interleaved per head, an MLP without gate. With
/// parallel residual x += attention(norm₁(x)) + mlp(norm₂(x)), both reading the same x; else one after the other.
/// </summary>
/// <remarks>Papers: arXiv 2204.06745, 2304.01373. transformers: modeling_gpt_neox.py.</remarks>
internal sealed class GptNeoX(Checkpoint checkpoint, PlacedWeights placed)
    : Transformer(checkpoint, placed, Layer)
{
    private static Block Layer(LayerParts parts)
    {
        LayerNorm attentionNorm = parts.LayerNorm(parts.Weights.InputNorm, parts.Weights.InputNormBias);
        Attention attention = parts.FusedAttention(QkvLayout.Interleaved(parts.Config.NumHeads, parts.Config.HeadDim));
        LayerNorm mlpNorm = parts.LayerNorm(parts.Weights.PostAttentionNorm, parts.Weights.PostAttentionNormBias);
        PlainMlp mlp = parts.PlainMlp();
        return parts.Config.ParallelResidual
            ? new ParallelBlock(attentionNorm, attention, mlpNorm, mlp)
            : new PreNormBlock(attentionNorm, attention, mlpNorm, mlp);
    }

    private sealed class ParallelBlock(Norm attentionNorm, Attention attention, Norm mlpNorm, Mlp mlp) : Block
    {
        public override void Enqueue(in Step step, Matrix x)
        {
            Matrix attentionInput = step.Activations.Normed; // [tokens, hidden]
            Matrix mlpInput = step.Activations.Branch;       // [tokens, hidden]

            // Both norms before the first add: they read the same x.
            attentionNorm.Enqueue(step.Ops, x, attentionInput);
            mlpNorm.Enqueue(step.Ops, x, mlpInput);
            attention.Enqueue(step, attentionInput, x, accumulate: true);
            mlp.Enqueue(step, mlpInput, x, accumulate: true);
        }
    }
}

using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// Gemma 2: every sublayer is normed before and after, x += post(attention(pre(x))); x += post(mlp(pre(x))); soft caps on scores and logits;
/// sliding window on every other layer.
/// </summary>
/// <remarks>Paper: arXiv 2408.00118. transformers: modeling_gemma2.py.</remarks>
internal sealed class Gemma2(Checkpoint checkpoint, PlacedWeights placed)
    : Transformer(checkpoint, placed, Layer)
{
    private static SandwichBlock Layer(LayerParts parts) => new(
        parts.RmsNorm(parts.Weights.InputNorm),
        parts.SeparateAttention(),
        parts.RmsNorm(parts.Weights.PostAttentionNorm),
        parts.RmsNorm(parts.Weights.PreFeedforwardNorm),
        parts.SeparateGatedMlp(),
        parts.RmsNorm(parts.Weights.PostFeedforwardNorm));

    private sealed class SandwichBlock(
        RmsNorm attentionNorm, Attention attention, RmsNorm postAttentionNorm, RmsNorm mlpNorm, Mlp mlp, RmsNorm postMlpNorm) : Block
    {
        public override void Enqueue(in Step step, Matrix x)
        {
            Matrix normed = step.Activations.Normed; // [tokens, hidden]
            Matrix branch = step.Activations.Branch; // [tokens, hidden]

            attentionNorm.Enqueue(step.Ops, x, normed);
            attention.Enqueue(step, normed, branch, accumulate: false);
            postAttentionNorm.EnqueueAdd(step.Ops, branch, x);

            mlpNorm.Enqueue(step.Ops, x, normed);
            mlp.Enqueue(step, normed, branch, accumulate: false);
            postMlpNorm.EnqueueAdd(step.Ops, branch, x);
        }
    }
}

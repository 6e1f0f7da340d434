using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>One layer: updates the residual stream in place.</summary>
internal abstract class Block
{
    /// <summary>Enqueues the layer.</summary>
    /// <param name="step">The step.</param>
    /// <param name="x">[tokens, hidden] the residual stream.</param>
    public abstract void Enqueue(in Step step, Matrix x);
}

/// <summary>x += attention(norm₁(x)); x += mlp(norm₂(x)): the pre-norm layer of most families.</summary>
internal sealed class PreNormBlock(Norm attentionNorm, Attention attention, Norm mlpNorm, Mlp mlp) : Block
{
    /// <inheritdoc />
    public override void Enqueue(in Step step, Matrix x)
    {
        Matrix normed = step.Activations.Normed; // [tokens, hidden]

        attentionNorm.Enqueue(step.Ops, x, normed);
        attention.Enqueue(step, normed, x, accumulate: true);

        mlpNorm.Enqueue(step.Ops, x, normed);
        mlp.Enqueue(step, normed, x, accumulate: true);
    }
}

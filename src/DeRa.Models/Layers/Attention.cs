using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// The attention sublayer: projections into one packed row, head norm and rotation, paged attention, output projection.
/// </summary>
/// <param name="layer">Number of the layer, which selects its cache.</param>
/// <param name="inputs">Projections whose outputs lie one after another in the packed row: q, k, v or one fused.</param>
/// <param name="output">[hidden, heads · headDim].</param>
/// <param name="layout">Where the heads lie in the packed row.</param>
/// <param name="headNorm">Norm of query and key heads, or null.</param>
/// <param name="options">Scale, window, soft cap.</param>
internal sealed class Attention(
    int layer, IReadOnlyList<Projection> inputs, Projection output, QkvLayout layout, HeadNorm? headNorm, AttentionOptions options)
{
    /// <summary>y = attention(x), or y += … when <paramref name="accumulate"/>.</summary>
    /// <param name="step">The step.</param>
    /// <param name="x">[tokens, hidden], normed.</param>
    /// <param name="y">[tokens, hidden].</param>
    /// <param name="accumulate">Adds to y, the residual stream.</param>
    public void Enqueue(in Step step, Matrix x, Matrix y, bool accumulate)
    {
        KernelSet ops = step.Ops;
        Matrix qkv = step.Activations.Qkv;           // [tokens, (heads + 2 · kvHeads) · headDim]
        Matrix attended = step.Activations.Attended; // [tokens, heads · headDim]
        KvLayer cache = step.Cache[layer];

        int column = 0;
        foreach (Projection projection in inputs)
        {
            projection.Enqueue(ops, x, qkv.Slice(column, projection.Weight.Rows));
            column += projection.Weight.Rows;
        }

        ops.RopeAndStoreKv(qkv, layout, step.Rope, headNorm, cache, step.Batch);
        ops.PagedAttention(qkv, layout, cache, step.Batch, options, attended);
        output.Enqueue(ops, attended, y, accumulate);
    }
}

namespace DeRa.Kernels;

public abstract partial class KernelSet
{
    /// <summary>
    /// Accepts or replaces one drafted token per row so that the token has exactly the law of <see cref="SampleLogits"/>, whatever distribution the
    /// draft was drawn from (Leviathan et al., arXiv 2211.17192; Chen et al., arXiv 2302.01318). With p and q the distributions that steps 2 to 4 of
    /// <see cref="HeadRow"/> make of the mixture's logits and of the draft's, under the same row: the draft y stands with probability
    /// min(1, p(y)/q(y)), else a token is drawn from max(0, p − q), renormalised. At temperature 0 the token is the largest z′, whatever the draft.
    /// Randomness is that of <see cref="DraftNoise"/>. Fills Token and LogProb; Token equals the draft exactly where it stands.
    /// </summary>
    /// <remarks>
    /// The draft has to be drawn from q by <see cref="SampleLogits"/>, or by the fused head over the same logits, with the same row. Works on stored
    /// logits: a step that speculates has few rows, and what it stores spares it to project a hidden state twice.
    /// </remarks>
    /// <param name="z">[rows, vocab] logits of the mixture; kept.</param>
    /// <param name="draftLogits">[rows, vocab] logits that the drafts were drawn from; kept.</param>
    /// <param name="drafts">[rows] drafted tokens.</param>
    /// <param name="rows">[rows] <see cref="HeadRow"/>; λ is not read.</param>
    /// <param name="adjustments"><see cref="TokenAdjustment"/> entries that the rows point into.</param>
    /// <param name="results">[rows] <see cref="HeadResult"/>.</param>
    public void VerifyDrafts(Matrix z, Matrix draftLogits, IntVector drafts, DeviceBuffer rows, DeviceBuffer adjustments, DeviceBuffer results)
    {
        Guard.Equal(draftLogits.Rows, z.Rows, "rows of the drafts' logits");
        Guard.Equal(draftLogits.Columns, z.Columns, "vocabulary of the drafts' logits");
        Guard.Equal(drafts.Length, z.Rows, "number of drafts");
        Guard.Range(rows, 0, 64L * z.Rows, nameof(rows));
        Guard.Range(results, 0, 32L * z.Rows, nameof(results));
        EnqueueVerifyDrafts(z, draftLogits, drafts, rows, adjustments, results);
    }

    /// <summary>Implements <see cref="VerifyDrafts"/>.</summary>
    protected abstract void EnqueueVerifyDrafts(
        Matrix z, Matrix draftLogits, IntVector drafts, DeviceBuffer rows, DeviceBuffer adjustments, DeviceBuffer results);
}

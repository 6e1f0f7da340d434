namespace DeRa.Kernels;

public abstract partial class KernelSet
{
    /// <summary>
    /// The fused head: projects both models' hidden states, interpolates, keeps softmax statistics and draws one token per row in one kernel;
    /// logits never reach memory. Equivalent unfused program: <see cref="Linear"/> twice, <see cref="Interpolate"/>,
    /// <see cref="SampleLogits"/>. A cut that the first sweep's candidates cannot settle takes further sweeps over the vocabulary, so it
    /// stays exact for every value. Where both outputs are the same weight it is read once, and with <paramref name="statistics"/> off
    /// projected once: z = W·(λ·h_a + (1 − λ)·h_r), provided there is no soft cap.
    /// </summary>
    /// <param name="reference">The reference model, or null: rows must have λ = 1.</param>
    /// <param name="aligned">The aligned model, or null: rows must have λ = 0.</param>
    /// <param name="vocabulary">Entries shared by both: the range tokens are drawn from.</param>
    /// <param name="rows">[rows] <see cref="HeadRow"/> on the device, one per hidden state.</param>
    /// <param name="adjustments"><see cref="TokenAdjustment"/> entries that the rows point into.</param>
    /// <param name="statistics">Whether log-probabilities under each model and both KLs are wanted; otherwise those may be NaN.</param>
    /// <param name="results">[rows] <see cref="HeadResult"/> to fill.</param>
    /// <param name="topTokens">[rows, <see cref="HeadLimits.MaxTopTokens"/>] <see cref="TopToken"/>, or null when no row asks for any.</param>
    public void RealignHead(
        HeadModel? reference, HeadModel? aligned, int vocabulary, DeviceBuffer rows, DeviceBuffer adjustments, bool statistics,
        DeviceBuffer results, DeviceBuffer? topTokens)
    {
        int count = Guard.HeadModels(this, reference, aligned, vocabulary);
        Guard.Range(rows, 0, (long)count * 64, nameof(rows));
        Guard.Range(results, 0, (long)count * 32, nameof(results));
        if (topTokens is not null)
        {
            Guard.Range(topTokens, 0, (long)count * HeadLimits.MaxTopTokens * 8, nameof(topTokens));
        }

        EnqueueRealignHead(reference, aligned, vocabulary, rows, adjustments, statistics, results, topTokens);
    }

    /// <summary>
    /// All-λ scoring: one sweep over the vocabulary keeps (max, Σ e^(z−max), Σ e^(z−max)·(z_a − z_r)) for every λ; no [rows, vocab] tensor
    /// exists. λ = 0 and λ = 1 give the normalisers of the two models.
    /// </summary>
    /// <param name="reference">The reference model.</param>
    /// <param name="aligned">The aligned model; the same number of rows.</param>
    /// <param name="vocabulary">Entries shared by both.</param>
    /// <param name="targets">[rows] tokens whose logits are wanted.</param>
    /// <param name="lambdas">[lambdaCount] float32 on the device.</param>
    /// <param name="lambdaCount">Number of λ.</param>
    /// <param name="statistics">[rows, lambdaCount] <see cref="ScoreStatistic"/> to fill.</param>
    /// <param name="targetLogits">[rows] <see cref="TargetLogits"/> to fill.</param>
    public void RealignScore(
        HeadModel reference, HeadModel aligned, int vocabulary, IntVector targets, DeviceBuffer lambdas, int lambdaCount,
        DeviceBuffer statistics, DeviceBuffer targetLogits)
    {
        int count = Guard.HeadModels(this, reference, aligned, vocabulary);
        Guard.Equal(targets.Length, count, "number of targets");
        Guard.Range(lambdas, 0, 4L * lambdaCount, nameof(lambdas));
        Guard.Range(statistics, 0, 12L * count * lambdaCount, nameof(statistics));
        Guard.Range(targetLogits, 0, 8L * count, nameof(targetLogits));
        EnqueueRealignScore(reference, aligned, vocabulary, targets, lambdas, lambdaCount, statistics, targetLogits);
    }

    /// <summary>Unfused baseline: z[r] = (1 − λ_r)·reference[r] + λ_r·aligned[r] over stored logits.</summary>
    /// <param name="reference">[rows, vocab or more].</param>
    /// <param name="aligned">[rows, vocab or more].</param>
    /// <param name="rows">[rows] <see cref="HeadRow"/>, of which λ is read.</param>
    /// <param name="z">[rows, vocab].</param>
    public void Interpolate(Matrix reference, Matrix aligned, DeviceBuffer rows, Matrix z)
    {
        Guard.Equal(reference.Rows, z.Rows, "rows of the reference logits");
        Guard.Equal(aligned.Rows, z.Rows, "rows of the aligned logits");
        Guard.AtMost(z.Columns, Math.Min(reference.Columns, aligned.Columns), "vocabulary of the mixture");
        EnqueueInterpolate(reference, aligned, rows, z);
    }

    /// <summary>Unfused baseline: p = softmax(x) per row, in place.</summary>
    public void Softmax(Matrix x) => EnqueueSoftmax(x);

    /// <summary>
    /// Unfused baseline: adjusts, cuts and draws from stored mixture logits by the definition of <see cref="HeadRow"/>; fills Token and LogProb.
    /// </summary>
    /// <param name="z">[rows, vocab] logits of the mixture; kept.</param>
    /// <param name="rows">[rows] <see cref="HeadRow"/>.</param>
    /// <param name="adjustments"><see cref="TokenAdjustment"/> entries.</param>
    /// <param name="results">[rows] <see cref="HeadResult"/>.</param>
    public void SampleLogits(Matrix z, DeviceBuffer rows, DeviceBuffer adjustments, DeviceBuffer results)
    {
        Guard.Range(rows, 0, 64L * z.Rows, nameof(rows));
        Guard.Range(results, 0, 32L * z.Rows, nameof(results));
        EnqueueSampleLogits(z, rows, adjustments, results);
    }

    /// <summary>Implements <see cref="RealignHead"/>.</summary>
    protected abstract void EnqueueRealignHead(
        HeadModel? reference, HeadModel? aligned, int vocabulary, DeviceBuffer rows, DeviceBuffer adjustments, bool statistics,
        DeviceBuffer results, DeviceBuffer? topTokens);

    /// <summary>Implements <see cref="RealignScore"/>.</summary>
    protected abstract void EnqueueRealignScore(
        HeadModel reference, HeadModel aligned, int vocabulary, IntVector targets, DeviceBuffer lambdas, int lambdaCount,
        DeviceBuffer statistics, DeviceBuffer targetLogits);

    /// <summary>Implements <see cref="Interpolate"/>.</summary>
    protected abstract void EnqueueInterpolate(Matrix reference, Matrix aligned, DeviceBuffer rows, Matrix z);

    /// <summary>Implements <see cref="Softmax"/>.</summary>
    protected abstract void EnqueueSoftmax(Matrix x);

    /// <summary>Implements <see cref="SampleLogits"/>.</summary>
    protected abstract void EnqueueSampleLogits(Matrix z, DeviceBuffer rows, DeviceBuffer adjustments, DeviceBuffer results);
}

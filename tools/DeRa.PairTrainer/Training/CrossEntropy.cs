using System.Numerics;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Training;

/// <summary>Weighted cross-entropy of next-token predictions.</summary>
internal static class CrossEntropy
{
    /// <summary>
    /// Replaces logits by d loss / d logits, loss = Σ_t w_t·(−log softmax(z_t)[target_t]) / Σ_t w_t, and returns the loss.
    /// </summary>
    /// <param name="workers">Threads.</param>
    /// <param name="logits">[tokens, vocab].</param>
    /// <param name="vocab">Vocabulary size.</param>
    /// <param name="targets">[tokens]; ignored where the weight is 0.</param>
    /// <param name="weights">[tokens], not all 0.</param>
    public static T LossAndGradient<T>(Workers workers, T[] logits, int vocab, int[] targets, T[] weights)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T total = T.Zero;
        foreach (T weight in weights)
            total += weight;
        T[] losses = new T[targets.Length];
        workers.ForRanges(targets.Length, (first, end) =>
        {
            for (int t = first; t < end; t++)
            {
                Span<T> row = logits.AsSpan(t * vocab, vocab);
                if (weights[t] == T.Zero)
                {
                    row.Clear();
                    continue;
                }

                T scale = weights[t] / total;
                T target = row[targets[t]];
                T normalizer = VectorMath.LogSumExp<T>(row);
                losses[t] = scale * (normalizer - target);
                for (int i = 0; i < vocab; i++)
                    row[i] = scale * T.Exp(row[i] - normalizer);
                row[targets[t]] -= scale;
            }
        });
        T loss = T.Zero;
        foreach (T part in losses)
            loss += part;
        return loss;
    }
}

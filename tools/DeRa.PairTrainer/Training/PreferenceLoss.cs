using System.Numerics;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Training;

/// <summary>
/// The loss of direct preference optimisation (Rafailov et al., 2023): with m = (log π(c) − log ρ(c)) − (log π(r) − log ρ(r)) for the chosen
/// response c and the rejected r, −log σ(β·m), averaged over pairs.
/// </summary>
internal static class PreferenceLoss
{
    /// <summary>log-probability of every sequence's response, [2 · pairs].</summary>
    /// <param name="workers">Threads.</param>
    /// <param name="batch">The pairs.</param>
    /// <param name="logits">[tokens, vocab].</param>
    /// <param name="vocab">Vocabulary size.</param>
    public static T[] LogLikelihoods<T>(Workers workers, PreferenceBatch batch, T[] logits, int vocab)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] likelihoods = new T[batch.Inputs.SequenceCount];
        workers.ForRanges(likelihoods.Length, (first, end) =>
        {
            for (int s = first; s < end; s++)
            {
                int[] response = batch.Response(s);
                for (int t = 0; t < response.Length; t++)
                {
                    ReadOnlySpan<T> row = logits.AsSpan((batch.FirstRow(s) + t) * vocab, vocab);
                    likelihoods[s] += row[response[t]] - VectorMath.LogSumExp(row);
                }
            }
        });
        return likelihoods;
    }

    /// <summary>Replaces logits by d loss / d logits and returns the loss and the share of pairs with m &gt; 0.</summary>
    /// <param name="workers">Threads.</param>
    /// <param name="batch">The pairs.</param>
    /// <param name="logits">The policy's, [tokens, vocab].</param>
    /// <param name="vocab">Vocabulary size.</param>
    /// <param name="reference">log ρ of every sequence's response, [2 · pairs].</param>
    /// <param name="beta">β.</param>
    public static (T Loss, double Accuracy) LossAndGradient<T>(
        Workers workers, PreferenceBatch batch, T[] logits, int vocab, T[] reference, T beta)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] policy = LogLikelihoods(workers, batch, logits, vocab);
        int pairs = policy.Length / 2;
        T scale = T.One / T.CreateChecked(pairs);
        T[] pull = new T[policy.Length];  // −d loss / d log π(response)
        T loss = T.Zero;
        int right = 0;
        for (int p = 0; p < pairs; p++)
        {
            T margin = beta * (policy[2 * p] - reference[2 * p] - (policy[2 * p + 1] - reference[2 * p + 1]));
            loss += scale * SoftPlus(-margin);
            pull[2 * p] = scale * beta * T.Exp(-SoftPlus(margin));
            pull[2 * p + 1] = -pull[2 * p];
            right += margin > T.Zero ? 1 : 0;
        }

        workers.ForRanges(policy.Length, (first, end) =>
        {
            for (int s = first; s < end; s++)
                WriteGradient(batch, s, logits, vocab, pull[s]);
        });
        return (loss, (double)right / pairs);
    }

    /// <summary>−pull·(1[i = y_t] − π_i) for the response, 0 for the prompt.</summary>
    private static void WriteGradient<T>(PreferenceBatch batch, int sequence, T[] logits, int vocab, T pull)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int start = batch.Inputs.Starts[sequence];
        logits.AsSpan(start * vocab, (batch.FirstRow(sequence) - start) * vocab).Clear();
        int[] response = batch.Response(sequence);
        for (int t = 0; t < response.Length; t++)
        {
            Span<T> row = logits.AsSpan((batch.FirstRow(sequence) + t) * vocab, vocab);
            VectorMath.Softmax(row);
            for (int i = 0; i < vocab; i++)
                row[i] *= pull;
            row[response[t]] -= pull;
        }
    }

    /// <summary>log(1 + eˣ) = −log σ(−x), without overflow.</summary>
    private static T SoftPlus<T>(T x)
        where T : IBinaryFloatingPointIeee754<T> => T.Max(x, T.Zero) + T.LogP1(T.Exp(-T.Abs(x)));
}

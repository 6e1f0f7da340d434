using System.Numerics;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Model;

/// <summary>
/// Grouped-query causal attention: o_i = Σ_{j≤i} p_ij·v_j with p_i = softmax_j(q_i·k_j/√headDim); query head h reads key head
/// h·kvHeads/heads. Sequences are independent, so each one is a unit of work.
/// </summary>
internal static class CausalAttention
{
    /// <summary>Elements of the probability buffer: heads · length² for each sequence.</summary>
    public static int ProbabilityCount(LlamaConfig config, PackedBatch batch) =>
        Enumerable.Range(0, batch.SequenceCount).Sum(s => config.NumHeads * Square(batch.Starts[s + 1] - batch.Starts[s]));

    /// <summary>Computes outputs and keeps the probabilities.</summary>
    /// <param name="workers">Threads.</param>
    /// <param name="config">Sizes.</param>
    /// <param name="batch">Where sequences start.</param>
    /// <param name="q">[tokens, heads, headDim].</param>
    /// <param name="k">[tokens, kvHeads, headDim].</param>
    /// <param name="v">[tokens, kvHeads, headDim].</param>
    /// <param name="probabilities">Per sequence [heads, length, length], written on and below the diagonal.</param>
    /// <param name="output">[tokens, heads, headDim], written.</param>
    public static void Forward<T>(
        Workers workers, LlamaConfig config, PackedBatch batch, T[] q, T[] k, T[] v, T[] probabilities, T[] output)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int dim = config.HeadDim;
        T scale = T.One / T.Sqrt(T.CreateChecked(dim));
        ForHeads(workers, config, batch, (start, length, head, kvHead, offset) =>
        {
            for (int i = 0; i < length; i++)
            {
                Span<T> row = probabilities.AsSpan(offset + i * length, i + 1);
                ReadOnlySpan<T> query = Head(q, start + i, config.HiddenSize, head, dim);
                for (int j = 0; j <= i; j++)
                    row[j] = scale * VectorMath.Dot(query, Head(k, start + j, config.KvSize, kvHead, dim));
                VectorMath.Softmax(row);
                Span<T> sum = Head(output, start + i, config.HiddenSize, head, dim);
                sum.Clear();
                for (int j = 0; j <= i; j++)
                    VectorMath.AddScaled(sum, row[j], Head(v, start + j, config.KvSize, kvHead, dim));
            }
        });
    }

    /// <summary>
    /// With dp_ij = dO_i·v_j and ds_ij = p_ij·(dp_ij − Σ_j p_ij·dp_ij): dV_j += p_ij·dO_i, dQ_i += ds_ij·k_j/√d,
    /// dK_j += ds_ij·q_i/√d. The three gradients must come in as zero.
    /// </summary>
    public static void Backward<T>(
        Workers workers, LlamaConfig config, PackedBatch batch, T[] q, T[] k, T[] v, T[] probabilities, T[] dOutput, T[] dQ, T[] dK, T[] dV)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int dim = config.HeadDim;
        T scale = T.One / T.Sqrt(T.CreateChecked(dim));
        ForHeads(workers, config, batch, (start, length, head, kvHead, offset) =>
        {
            T[] dScores = new T[length];
            for (int i = 0; i < length; i++)
            {
                ReadOnlySpan<T> row = probabilities.AsSpan(offset + i * length, i + 1);
                ReadOnlySpan<T> dOut = Head(dOutput, start + i, config.HiddenSize, head, dim);
                T mean = T.Zero;
                for (int j = 0; j <= i; j++)
                {
                    dScores[j] = VectorMath.Dot(dOut, Head(v, start + j, config.KvSize, kvHead, dim));
                    mean += row[j] * dScores[j];
                    VectorMath.AddScaled(Head(dV, start + j, config.KvSize, kvHead, dim), row[j], dOut);
                }

                ReadOnlySpan<T> query = Head(q, start + i, config.HiddenSize, head, dim);
                Span<T> dQuery = Head(dQ, start + i, config.HiddenSize, head, dim);
                for (int j = 0; j <= i; j++)
                {
                    T dScore = row[j] * (dScores[j] - mean) * scale;
                    VectorMath.AddScaled(dQuery, dScore, Head(k, start + j, config.KvSize, kvHead, dim));
                    VectorMath.AddScaled(Head(dK, start + j, config.KvSize, kvHead, dim), dScore, query);
                }
            }
        });
    }

    private static void ForHeads(Workers workers, LlamaConfig config, PackedBatch batch, Action<int, int, int, int, int> body)
    {
        int[] offsets = new int[batch.SequenceCount];
        for (int s = 1; s < offsets.Length; s++)
            offsets[s] = offsets[s - 1] + config.NumHeads * Square(batch.Starts[s] - batch.Starts[s - 1]);
        workers.ForRanges(batch.SequenceCount, (first, end) =>
        {
            for (int s = first; s < end; s++)
            {
                int length = batch.Starts[s + 1] - batch.Starts[s];
                for (int head = 0; head < config.NumHeads; head++)
                    body(batch.Starts[s], length, head, head * config.NumKvHeads / config.NumHeads, offsets[s] + head * Square(length));
            }
        });
    }

    private static Span<T> Head<T>(T[] x, int token, int width, int head, int dim) => x.AsSpan(token * width + head * dim, dim);

    private static int Square(int x) => x * x;
}

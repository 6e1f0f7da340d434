using System.Numerics;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Model;

/// <summary>y = w ⊙ x / √(mean(x²) + ε), per token (Zhang and Sennrich, 2019).</summary>
internal static class RmsNorm
{
    /// <summary>Normalises every row; keeps 1/√(…) for the backward pass.</summary>
    /// <param name="workers">Threads.</param>
    /// <param name="x">[tokens, width].</param>
    /// <param name="weight">[width].</param>
    /// <param name="y">[tokens, width], written.</param>
    /// <param name="inverseRoot">[tokens], written.</param>
    /// <param name="tokens">Rows.</param>
    public static void Forward<T>(Workers workers, T[] x, T[] weight, T[] y, T[] inverseRoot, int tokens)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int width = weight.Length;
        workers.ForRanges(tokens, (first, end) =>
        {
            for (int t = first; t < end; t++)
            {
                ReadOnlySpan<T> row = x.AsSpan(t * width, width);
                Span<T> output = y.AsSpan(t * width, width);
                T sum = T.Zero;
                foreach (T value in row)
                    sum += value * value;
                T scale = T.One / T.Sqrt(sum / T.CreateChecked(width) + T.CreateChecked(LlamaConfig.RmsNormEps));
                inverseRoot[t] = scale;
                for (int i = 0; i < row.Length; i++)
                    output[i] = row[i] * scale * weight[i];
            }
        });
    }

    /// <summary>
    /// With x̂ = x·s: dx += s·(w⊙dy − x̂·mean(w⊙dy⊙x̂)) and dw += Σ_t dy⊙x̂.
    /// </summary>
    public static void Backward<T>(Workers workers, T[] dy, T[] x, T[] weight, T[] inverseRoot, T[] dx, T[] dWeight, int tokens)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        int width = weight.Length;
        workers.ForRanges(tokens, (first, end) =>
        {
            for (int t = first; t < end; t++)
            {
                int offset = t * width;
                T scale = inverseRoot[t];
                T dot = T.Zero;
                for (int i = 0; i < width; i++)
                    dot += weight[i] * dy[offset + i] * x[offset + i];
                T pull = dot * scale * scale / T.CreateChecked(width);
                for (int i = 0; i < width; i++)
                    dx[offset + i] += scale * (weight[i] * dy[offset + i] - x[offset + i] * pull);
            }
        });
        workers.ForRanges(width, (first, end) =>
        {
            for (int t = 0; t < tokens; t++)
            {
                for (int i = first; i < end; i++)
                    dWeight[i] += dy[t * width + i] * x[t * width + i] * inverseRoot[t];
            }
        });
    }
}

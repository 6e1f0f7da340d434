using System.Numerics;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Model;

/// <summary>
/// Rotary positions (Su et al., 2021) in the layout of Hugging Face's Llama: component i of a head is paired with component
/// i + headDim/2 and the pair is rotated by position·θ^(−2i/headDim).
/// </summary>
internal sealed class RotaryEmbedding<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly int headDim;
    private readonly T[] cos;
    private readonly T[] sin;

    /// <summary>Tabulates cosines and sines, [positions, headDim / 2].</summary>
    public RotaryEmbedding(LlamaConfig config)
    {
        headDim = config.HeadDim;
        int half = headDim / 2;
        cos = new T[config.MaxPositions * half];
        sin = new T[config.MaxPositions * half];
        for (int i = 0; i < cos.Length; i++)
        {
            double angle = i / half * Math.Pow(LlamaConfig.RopeTheta, -2.0 * (i % half) / headDim);
            cos[i] = T.CreateChecked(Math.Cos(angle));
            sin[i] = T.CreateChecked(Math.Sin(angle));
        }
    }

    /// <summary>Rotates every head of every row in place; <paramref name="inverse"/> turns back, which is also the gradient.</summary>
    /// <param name="workers">Threads.</param>
    /// <param name="x">[tokens, heads · headDim].</param>
    /// <param name="width">heads · headDim.</param>
    /// <param name="positions">[tokens].</param>
    /// <param name="inverse">Rotate by the negative angle.</param>
    public void Rotate(Workers workers, T[] x, int width, int[] positions, bool inverse = false)
    {
        int half = headDim / 2;
        workers.ForRanges(positions.Length, (first, end) =>
        {
            for (int t = first; t < end; t++)
            {
                int table = positions[t] * half;
                for (int head = t * width; head < (t + 1) * width; head += headDim)
                {
                    for (int i = 0; i < half; i++)
                    {
                        T c = cos[table + i];
                        T s = inverse ? -sin[table + i] : sin[table + i];
                        T low = x[head + i], high = x[head + half + i];
                        x[head + i] = low * c - high * s;
                        x[head + half + i] = high * c + low * s;
                    }
                }
            }
        });
    }
}

using DeRa.PairTrainer.Model;

namespace DeRa.PairTrainer.Training;

/// <summary>θ = (1 − λ)·θ_r + λ·θ_a, one model in place of two: the cheaper rival of mixing logits, and the soft update of TR-DPO.</summary>
internal static class WeightInterpolation
{
    /// <summary>A model between the two, or beyond them for λ outside [0, 1].</summary>
    public static LlamaParameters<float> Between(LlamaParameters<float> reference, LlamaParameters<float> aligned, double lambda)
    {
        LlamaParameters<float> result = new(reference.Config);
        Blend(reference, aligned, lambda, result);
        return result;
    }

    /// <summary>Writes (1 − λ)·a + λ·b into <paramref name="result"/>, which may be one of them.</summary>
    public static void Blend(LlamaParameters<float> a, LlamaParameters<float> b, double lambda, LlamaParameters<float> result)
    {
        for (int p = 0; p < result.All.Count; p++)
        {
            float[] x = a.All[p].Value, y = b.All[p].Value, z = result.All[p].Value;
            for (int i = 0; i < z.Length; i++)
                z[i] = (float)((1 - lambda) * x[i] + lambda * y[i]);
        }
    }
}

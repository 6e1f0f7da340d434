namespace DeRa.Kernels.Verification;

/// <summary>
/// One head vector v: first v ← v / √(mean(v²) + ε) · gain where heads are normalised, then, for i &lt; R/2 of R rotated elements,
/// <code>
/// v′[i]       = v[i]·cos[i] − v[i + R/2]·sin[i]
/// v′[i + R/2] = v[i + R/2]·cos[i] + v[i]·sin[i]
/// </code>
/// ("rotate half", HF modeling_llama.py); elements from R on are kept.
/// </summary>
public static class RopeOracle
{
    /// <summary>ε: the norm is off by Sum(d) of each element, the rotation by 4 u of its two products. Copied elements are exact.</summary>
    /// <param name="heads">[vectors, headDim].</param>
    /// <param name="cos">[vectors, R / 2], or null without rotation.</param>
    /// <param name="sin">[vectors, R / 2], or null without rotation.</param>
    /// <param name="gain">[headDim], or null without normalisation.</param>
    /// <param name="epsilon">Under the norm's root.</param>
    public static Expected Compute(double[,] heads, double[,]? cos, double[,]? sin, double[]? gain, double epsilon)
    {
        int vectors = heads.GetLength(0), dim = heads.GetLength(1);
        double[,] values = gain is null ? heads : RmsNormOracle.Compute(heads, gain, epsilon, unitOffset: false, residual: null).Value;
        double normError = gain is null ? 0 : Rounding.Sum(dim);
        int half = cos?.GetLength(1) ?? 0;
        return Expected.Of(vectors, dim, (t, i) =>
        {
            if (i >= 2 * half)
            {
                return (values[t, i], normError * Math.Abs(values[t, i]));
            }

            int pair = i % half;
            double straight = values[t, i] * cos![t, pair];
            double crossed = i < half ? -values[t, i + half] * sin![t, pair] : values[t, i - half] * sin![t, pair];
            return (straight + crossed, (normError + 4 * Rounding.Unit) * (Math.Abs(straight) + Math.Abs(crossed)));
        });
    }
}

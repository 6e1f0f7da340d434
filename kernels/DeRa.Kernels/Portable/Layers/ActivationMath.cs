using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>Element-wise functions in float32, accurate on every device: some compile tanh to an instruction of eleven bits.</summary>
internal static class ActivationMath
{
    /// <summary>The function of <see cref="ActivationKind"/> <paramref name="kind"/>.</summary>
    public static float Apply(int kind, float x) => kind switch
    {
        (int)ActivationKind.Silu => x * Sigmoid(x),
        (int)ActivationKind.Gelu => x * NormalCdf(x),
        (int)ActivationKind.GeluTanh => x * Sigmoid(1.5957691216f * (x + 0.044715f * x * x * x)), // ½(1 + tanh u) = sigmoid(2u); 2·√(2/π)
        (int)ActivationKind.QuickGelu => x * Sigmoid(1.702f * x),
        (int)ActivationKind.Relu => x > 0 ? x : 0,
        (int)ActivationKind.Relu2 => x > 0 ? x * x : 0,
        (int)ActivationKind.Tanh => Tanh(x),
        _ => Sigmoid(x),
    };

    /// <summary>c · tanh(x / c).</summary>
    public static float SoftCap(float x, float cap) => cap * Tanh(x / cap);

    /// <summary>1 / (1 + e^−x), by the exponential of a number that is not positive.</summary>
    public static float Sigmoid(float x)
    {
        float e = MathF.Exp(-IntrinsicMath.Abs(x));
        return x >= 0 ? 1f / (1f + e) : e / (1f + e);
    }

    /// <summary>tanh by its series where the quotient of exponentials cancels, terms up to x⁹: below 2⁻²⁴ relative for |x| &lt; 0.3.</summary>
    public static float Tanh(float x)
    {
        float magnitude = IntrinsicMath.Abs(x);
        if (magnitude < 0.3f)
        {
            float s = x * x;
            return x * (1f + s * (-1f / 3f + s * (2f / 15f + s * (-17f / 315f + s * (62f / 2835f)))));
        }

        float e = MathF.Exp(-2f * magnitude), tanh = (1f - e) / (1f + e);
        return x < 0 ? -tanh : tanh;
    }

    /// <summary>
    /// Φ(x) by erfc(z) = t·P(2t − 1)·e^(−z²), t = 1 / (1 + z/2), z = |x|/√2. P interpolates at Chebyshev nodes and is within 4·10⁻⁸
    /// relative for z up to 10; its coefficients were computed for this file.
    /// </summary>
    public static float NormalCdf(float x)
    {
        float z = IntrinsicMath.Abs(x) * 0.70710678f, t = 1f / (1f + 0.5f * z), u = 2f * t - 1f;
        float p = -3.67643617e-05f + u * 4.42884145e-05f;
        p = -0.000304719086f + u * p;
        p = 0.000431040022f + u * p;
        p = 0.00153384704f + u * p;
        p = -0.00324373307f + u * p;
        p = -0.0107533109f + u * p;
        p = 0.0182217491f + u * p;
        p = 0.139735946f + u * p;
        p = 0.343580313f + u * p;
        p = 0.510791353f + u * p;
        float half = 0.5f * t * p * MathF.Exp(-0.5f * x * x);
        return x >= 0 ? 1f - half : half;
    }
}

namespace DeRa.Kernels;

/// <summary>
/// Standard Gumbel noise per (seed, stream, position, token id): argmax(s + g) draws from softmax(s), and the draw does not depend on the
/// rest of the batch. Four neighbouring tokens share one generator block.
/// </summary>
public static class GumbelNoise
{
    /// <summary>The random word of a token: counter (token / 4, position, stream, 0), word token mod 4.</summary>
    public static uint Bits(uint seedLow, uint seedHigh, uint stream, int position, int token)
    {
        var counter = new Words4 { X = (uint)token >> 2, Y = (uint)position, Z = stream, W = 0 };
        return Philox.Generate(counter, seedLow, seedHigh).Pick(token & 3);
    }

    /// <summary>
    /// g = −log(E) with E = −log(1 − u) exponential and u = (bits + ½)/2³². Large g, which decide an argmax, come from small u, where a float
    /// keeps all 32 bits; there −log(1 − u) is its series u + u²/2 + u³/3 + u⁴/4 (error below 2⁻²⁴ relative for u &lt; 2⁻⁵·⁵).
    /// </summary>
    public static float FromBits(uint bits)
    {
        // The halves are converted apart because an unsigned 32-bit conversion goes through float64 on some devices.
        float u = (float)(int)(bits >> 16) * (1f / 65536f) + ((float)(int)(bits & 0xffff) + 0.5f) * (1f / 4294967296f);
        float exponential = u < 0.0221f
            ? u * (1f + u * (0.5f + u * (1f / 3f + u * 0.25f)))
            : u < 0.99999994f ? -MathF.Log(1f - u) : 16.635532f; // 24 ln 2: the float just below 1
        return -MathF.Log(exponential);
    }
}

namespace DeRa.Kernels;

/// <summary>
/// Random words for drafted tokens. <see cref="GumbelNoise"/>, which the draft is drawn with, has 0 in the counter's last word; these have 1 and 2
/// there, so whether a draft stands and what replaces it are independent of how it was drawn.
/// </summary>
public static class DraftNoise
{
    private const uint Acceptance = 1, Replacement = 2;

    /// <summary>The word that decides whether a row's draft stands: counter (0, position, stream, 1), first word.</summary>
    public static uint AcceptanceBits(uint seedLow, uint seedHigh, uint stream, int position) =>
        Philox.Generate(new Words4 { X = 0, Y = (uint)position, Z = stream, W = Acceptance }, seedLow, seedHigh).X;

    /// <summary>The word of a token that may replace the draft: counter (token / 4, position, stream, 2), word token mod 4.</summary>
    public static uint ReplacementBits(uint seedLow, uint seedHigh, uint stream, int position, int token) =>
        Philox.Generate(new Words4 { X = (uint)token >> 2, Y = (uint)position, Z = stream, W = Replacement }, seedLow, seedHigh).Pick(token & 3);

    /// <summary>u = (bits + ½)/2³² in (0, 1]; 1 only by rounding.</summary>
    public static float Uniform(uint bits) =>
        (float)(int)(bits >> 16) * (1f / 65536f) + ((float)(int)(bits & 0xffff) + 0.5f) * (1f / 4294967296f);
}

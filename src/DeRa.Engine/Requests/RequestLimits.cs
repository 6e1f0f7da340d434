namespace DeRa.Engine;

/// <summary>
/// Largest and smallest factors of a request. Each is far beyond use, and all of them together keep logits of up to 10⁴ in float32's range:
/// λ·z/T/ρ stays below 10⁴ · 10¹² · 10¹² · 10⁶.
/// </summary>
internal static class RequestLimits
{
    /// <summary>Largest size of λ, of a penalty that is subtracted, and of a bias that favours a token.</summary>
    public const float Magnitude = 1e12f;

    /// <summary>Smallest temperature above 0, which is greedy.</summary>
    public const float Temperature = 1e-12f;

    /// <summary>Largest repetition penalty; the smallest is one over it.</summary>
    public const float RepetitionPenalty = 1e6f;

    /// <summary>Whether λ can be used; not for NaN.</summary>
    public static bool IsLambda(float value) => Math.Abs(value) <= Magnitude;

    /// <summary>What <see cref="IsLambda"/> wants, for messages.</summary>
    public const string Lambda = "a finite number of at most 1E+12 in size";
}

namespace DeRa.Kernels.Verification;

/// <summary>g = −log(−log(1 − u)), u = (bits + ½)/2³², in float64, from the same random word as <see cref="GumbelNoise"/>.</summary>
public static class GumbelOracle
{
    /// <summary>The noise of a word and how far float32 noise may be off.</summary>
    /// <remarks>
    /// ε: E = −log(1 − u) is off by the rounding of u (u·2⁻²⁴ where the series is used; elsewhere 4 units of 2⁻²⁴ in 1 − u, through the slope
    /// 1/(1 − u)), and g by that relative to E, plus the outer logarithm. 1 − u below 2⁻²⁴ is clamped by the definition: there g lies between
    /// −log(33 ln 2) and −log(24 ln 2), 0.32 apart.
    /// </remarks>
    public static (double Value, double Epsilon) Compute(uint bits)
    {
        double u = (bits + 0.5) / 4294967296.0, exponential = -SpecialFunctions.LogOnePlus(-u), value = -Math.Log(exponential);
        double outer = 8 * Rounding.Unit * (1 + Math.Abs(value));
        if (u < 0.0221)
        {
            return (value, outer + 4 * Rounding.Unit);
        }

        double inner = Rounding.Unit * (4 / (1 - u) + 8 * (1 + exponential)) / exponential;
        return (value, outer + Math.Min(inner, 0.32));
    }

    /// <summary>The noise of a row's token.</summary>
    public static (double Value, double Epsilon) Compute(HeadRow row, int token) =>
        Compute(GumbelNoise.Bits(row.SeedLow, row.SeedHigh, row.Stream, row.Position, token));
}

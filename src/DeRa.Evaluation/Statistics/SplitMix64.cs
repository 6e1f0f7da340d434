namespace DeRa.Evaluation;

/// <summary>
/// A small generator of fixed definition, so that resamples are the same on every machine and with every version of .NET: SplitMix64 (Steele, Lea
/// and Flood, OOPSLA 2014).
/// </summary>
internal struct SplitMix64(ulong seed)
{
    private ulong state = seed;

    public ulong Next()
    {
        state += 0x9E3779B97F4A7C15;
        ulong z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>An index in [0, count), by the high half of a product; the bias is below count / 2⁶⁴.</summary>
    public int NextIndex(int count) => (int)Math.BigMul(Next(), (ulong)count, out _);

    /// <summary>A number in (0, 1), never an end.</summary>
    public double NextDouble() => ((Next() >> 11) + 0.5) / (1UL << 53);
}

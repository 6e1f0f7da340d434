namespace DeRa.PairTrainer.Numerics;

/// <summary>
/// SplitMix64 (Steele, Lea and Flood, 2014): a tiny generator whose stream depends on nothing but its seed, so a run can be
/// repeated on any runtime version.
/// </summary>
internal sealed class DeterministicRandom
{
    private const ulong GoldenGamma = 0x9E3779B97F4A7C15;

    private ulong state;

    /// <summary>A stream of its own for every (seed, stream) pair.</summary>
    public DeterministicRandom(ulong seed, ulong stream = 0) => state = Mix(seed) ^ Mix(stream * GoldenGamma + 1);

    /// <summary>The next 64 random bits.</summary>
    public ulong NextBits() => Mix(state += GoldenGamma);

    /// <summary>Uniform in [0, 1) with 53 random bits.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [0, <paramref name="exclusiveMax"/>).</summary>
    public int NextInt(int exclusiveMax) => (int)(NextDouble() * exclusiveMax);

    /// <summary>Standard normal, by Box and Muller's transform.</summary>
    public double NextGaussian() =>
        Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());

    /// <summary>One of the items, all equally likely.</summary>
    public TItem Pick<TItem>(IReadOnlyList<TItem> items) => items[NextInt(items.Count)];

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}

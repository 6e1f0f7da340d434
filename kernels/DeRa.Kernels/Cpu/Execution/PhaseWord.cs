namespace DeRa.Kernels.Cpu;

/// <summary>
/// A count that belongs to one phase: the phase's number in the upper 44 bits, the count in the lower 20. A word of an earlier phase counts as 0,
/// so nothing is ever reset, and a worker that was left behind sees from a later number that its phase is over. At 100,000 phases a second the numbers
/// last for five years.
/// </summary>
internal static class PhaseWord
{
    private const int CountBits = 20;

    /// <summary>Largest count.</summary>
    public const int MaxCount = (1 << CountBits) - 1;

    /// <summary>The word for a count of a phase.</summary>
    public static long Make(long phase, int count) => (phase << CountBits) | (uint)count;

    /// <summary>Whether the word is of a later phase.</summary>
    public static bool IsPast(long word, long phase) => word >> CountBits > phase;

    /// <summary>The count as far as it is of this phase.</summary>
    public static int Count(long word, long phase) => word >> CountBits == phase ? (int)(word & MaxCount) : 0;
}

namespace DeRa.PairTrainer.Numerics;

/// <summary>
/// Splits work into contiguous ranges over a few threads. Every output element is computed by one thread in a fixed order, so
/// results do not depend on how many threads there are.
/// </summary>
internal sealed class Workers(int count)
{
    private readonly ParallelOptions options = new() { MaxDegreeOfParallelism = count };

    /// <summary>Calls <paramref name="body"/> with disjoint ranges that cover [0, <paramref name="items"/>).</summary>
    public void ForRanges(int items, Action<int, int> body)
    {
        if (count == 1 || items < 2)
        {
            body(0, items);
            return;
        }

        // Twice as many ranges as threads: when the machine is busy elsewhere, the faster thread takes a third one.
        int ranges = Math.Min(items, 2 * count);
        Parallel.For(0, ranges, options, r => body((int)((long)items * r / ranges), (int)((long)items * (r + 1) / ranges)));
    }
}

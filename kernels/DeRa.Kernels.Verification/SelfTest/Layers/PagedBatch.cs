namespace DeRa.Kernels.Verification;

/// <summary>
/// Sequences in a paged cache whose blocks are dealt out in shuffled order, each with some tokens in this step: prefill chunks and decodes mixed.
/// </summary>
internal sealed class PagedBatch
{
    private readonly int[][] blocks;

    /// <param name="data">Shuffles the blocks.</param>
    /// <param name="blockSize">Positions per block.</param>
    /// <param name="sequences">Per sequence: positions cached before the step, and tokens in it.</param>
    public PagedBatch(TestData data, int blockSize, params (int Cached, int New)[] sequences)
    {
        (BlockSize, Sequences) = (blockSize, sequences);
        int[] counts = [.. sequences.Select(s => (s.Cached + s.New + blockSize - 1) / blockSize)];
        NumBlocks = counts.Sum() + 2; // some belong to nobody
        int[] order = data.Permutation(NumBlocks);
        blocks = new int[sequences.Length][];
        for (int s = 0, next = 0; s < sequences.Length; next += counts[s], s++)
        {
            blocks[s] = order[next..(next + counts[s])];
        }

        Tokens = [.. sequences.SelectMany((sequence, s) => Enumerable.Range(sequence.Cached, sequence.New).Select(position => (s, position)))];
    }

    public int BlockSize { get; }

    public int NumBlocks { get; }

    public (int Cached, int New)[] Sequences { get; }

    /// <summary>Sequence and position of each token of the step.</summary>
    public (int Sequence, int Position)[] Tokens { get; }

    /// <summary>block · blockSize + offset of a position.</summary>
    public int Slot(int sequence, int position) => blocks[sequence][position / BlockSize] * BlockSize + position % BlockSize;

    /// <summary>First float of (slot, kvHead) within a layer of the cache.</summary>
    public int CacheIndex(int slot, int kvHead, int numKvHeads, int headDim) =>
        ((slot / BlockSize * numKvHeads + kvHead) * BlockSize + slot % BlockSize) * headDim;

    public DeviceBatch Upload(Workbench bench) => Upload(bench, 0, Tokens.Length);

    /// <summary>A step of some of the tokens only, with the sequences that they belong to.</summary>
    public DeviceBatch Upload(Workbench bench, int start, int count)
    {
        (int Sequence, int Position)[] tokens = Tokens[start..(start + count)];
        int[] present = [.. tokens.Select(t => t.Sequence).Distinct()]; // in order, as the tokens are
        int maxBlocks = present.Max(s => blocks[s].Length) + 1; // a column past the longest sequence
        var tables = new int[present.Length * maxBlocks];
        var starts = new int[present.Length + 1];
        for (int row = 0; row < present.Length; row++)
        {
            blocks[present[row]].CopyTo(tables, row * maxBlocks);
            starts[row + 1] = starts[row] + tokens.Count(t => t.Sequence == present[row]);
        }

        return new DeviceBatch(
            bench.Ints(new int[count]),
            bench.Ints([.. tokens.Select(t => t.Position)]),
            bench.Ints([.. tokens.Select(t => Slot(t.Sequence, t.Position))]),
            bench.Ints([.. tokens.Select(t => Array.IndexOf(present, t.Sequence))]),
            bench.Ints(starts),
            bench.Ints(tables),
            maxBlocks,
            tokens.Max(t => t.Position) + 1);
    }
}

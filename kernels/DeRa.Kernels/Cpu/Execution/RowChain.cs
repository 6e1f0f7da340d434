namespace DeRa.Kernels.Cpu;

/// <summary>Columns of a matrix that an operation reads or writes, in every row that it runs over.</summary>
/// <param name="First">First element of the first row.</param>
/// <param name="Stride">Elements between rows.</param>
/// <param name="Columns">Elements of a row.</param>
internal readonly unsafe record struct RowBlock(nint First, int Stride, int Columns)
{
    /// <summary>Columns at an address.</summary>
    public RowBlock(float* first, int stride, int columns)
        : this((nint)first, stride, columns)
    {
    }

    /// <summary>Whether a row of the one has nothing in common with any other row of the other: columns of the same rows, or different memory.</summary>
    public bool KeepsRowsApart(RowBlock other, int rows)
    {
        long distance = (other.First - First) / sizeof(float);
        bool sameRows = Stride == other.Stride && (distance >= 0 ? distance + other.Columns <= Stride : Columns - distance <= Stride);
        return sameRows || distance >= Extent(rows) || -distance >= other.Extent(rows);
    }

    private long Extent(int rows) => (rows - 1L) * Stride + Columns;
}

/// <summary>
/// Neighbouring operations of a step, each of whose rows needs the same row of the others only. A worker takes a few rows through all of them: one
/// phase in place of one for each, and what an operation wrote the next finds in the first-level cache. Only for small models: where weights
/// are not small every operation shares out its weights instead of its rows.
/// </summary>
/// <param name="workers">Workers of the set.</param>
internal sealed class RowChain(int workers)
{
    /// <summary>Rows of the largest tile of a projection: a worker has at least so many, and where they come out even takes so many together.</summary>
    public const int Tile = 8;

    /// <summary>Most rows that are taken together.</summary>
    public const int MostTaken = 2 * Tile;

    private readonly List<RowBlock> blocks = [];
    private int rows;

    /// <summary>
    /// Rows that workers take together, 0 where a chain does not pay. Whole tiles, unless that gives one worker over an eighth more than an even share; then
    /// as even shares as there are, though their last tile is smaller.
    /// </summary>
    public static int RowsTaken(int rows, int workers)
    {
        if (workers == 1 || rows < Tile * workers)
        {
            return 0;
        }

        int tiles = Quotient(rows, Tile), longest = Quotient(tiles, workers);
        return 8 * longest * workers <= 9 * tiles ? Tile : Quotient(rows, workers * Quotient(rows, MostTaken * workers));

        static int Quotient(int amount, int part) => (amount + part - 1) / part;
    }

    /// <summary>Whether there is a chain to add to.</summary>
    public bool IsOpen => rows > 0;

    /// <summary>Forgets the chain: an operation that is not one of rows follows.</summary>
    public void End() => rows = 0;

    /// <summary>Begins with an operation; whether it is one of a chain that pays.</summary>
    public bool Begin(ReadOnlySpan<RowBlock> first, int count)
    {
        blocks.Clear();
        blocks.AddRange(first);
        rows = RowsTaken(count, workers) > 0 ? count : 0;
        return rows > 0;
    }

    /// <summary>Adds an operation, or a part of the last one, if every row of it needs the same row of the others only.</summary>
    public bool TryAdd(ReadOnlySpan<RowBlock> added, int count)
    {
        if (!IsOpen || count != rows)
        {
            return false;
        }

        foreach (RowBlock block in added)
        {
            foreach (RowBlock known in blocks)
            {
                if (!known.KeepsRowsApart(block, rows))
                {
                    return false;
                }
            }
        }

        blocks.AddRange(added);
        return true;
    }
}

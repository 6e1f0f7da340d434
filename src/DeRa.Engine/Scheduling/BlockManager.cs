namespace DeRa.Engine.Scheduling;

/// <summary>
/// Hands out cache blocks by number. A block number stands for the same block in both models' pools, so a sequence holds one block
/// table and both caches are taken and given back together.
/// </summary>
/// <param name="numBlocks">Blocks in each pool.</param>
/// <param name="blockSize">Positions per block.</param>
internal sealed class BlockManager(int numBlocks, int blockSize)
{
    private readonly Stack<int> free = new(Enumerable.Range(0, numBlocks).Reverse());

    public int NumBlocks { get; } = numBlocks;

    public int BlockSize { get; } = blockSize;

    public int FreeBlocks => free.Count;

    public int UsedBlocks => NumBlocks - free.Count;

    /// <summary>Blocks that hold <paramref name="positions"/> positions.</summary>
    public int BlocksFor(int positions) => (int)(((long)positions + BlockSize - 1) / BlockSize);

    /// <summary>Takes blocks for a whole sequence, or none.</summary>
    public bool TryAllocate(int positions, out int[] blocks)
    {
        int count = BlocksFor(positions);
        if (count > free.Count)
        {
            blocks = [];
            return false;
        }

        blocks = new int[count];
        for (int i = 0; i < count; i++)
        {
            blocks[i] = free.Pop();
        }

        return true;
    }

    /// <summary>Gives blocks back.</summary>
    public void Release(ReadOnlySpan<int> blocks)
    {
        foreach (int block in blocks)
        {
            free.Push(block);
        }
    }
}

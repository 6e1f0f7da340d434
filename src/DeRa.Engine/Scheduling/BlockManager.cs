namespace DeRa.Engine.Scheduling;

/// <summary>
/// Hands out cache blocks by number and counts who holds them. A block number stands for the same block in both models' pools, so both caches
/// are taken and given back together. Blocks that nobody holds but whose content is known stay findable until they are needed: the one given
/// back longest ago goes first.
/// </summary>
/// <param name="numBlocks">Blocks in each pool.</param>
/// <param name="blockSize">Positions per block.</param>
/// <param name="rememberContents">Whether blocks can be found by content at all.</param>
internal sealed class BlockManager(int numBlocks, int blockSize, bool rememberContents = true)
{
    private readonly int[] holders = new int[numBlocks];
    private readonly Stack<int> blank = new(Enumerable.Range(0, numBlocks).Reverse());
    private readonly LinkedList<int> remembered = new(); // free blocks with known content, least recently used first
    private readonly LinkedListNode<int>?[] places = new LinkedListNode<int>?[numBlocks];
    private readonly PrefixIndex index = new(numBlocks);

    public int NumBlocks { get; } = numBlocks;

    public int BlockSize { get; } = blockSize;

    /// <summary>Whether blocks can be found by content.</summary>
    public bool RememberContents { get; } = rememberContents;

    /// <summary>Blocks that nobody holds, those with known content among them.</summary>
    public int FreeBlocks => blank.Count + remembered.Count;

    public int UsedBlocks => NumBlocks - FreeBlocks;

    /// <summary>Free blocks whose content can still be found.</summary>
    public int RememberedBlocks => remembered.Count;

    /// <summary>Blocks that hold <paramref name="positions"/> positions.</summary>
    public int BlocksFor(int positions) => (int)(((long)positions + BlockSize - 1) / BlockSize);

    /// <summary>How many sequences hold a block.</summary>
    public int Holders(int block) => holders[block];

    /// <summary>Takes blocks, all or none.</summary>
    public bool TryAllocate(int count, List<int> taken)
    {
        if (count > FreeBlocks)
        {
            return false;
        }

        for (int i = 0; i < count; i++)
        {
            taken.Add(Take());
        }

        return true;
    }

    /// <summary>Holds a block once more.</summary>
    public void Share(int block)
    {
        if (holders[block]++ == 0)
        {
            remembered.Remove(places[block] ?? throw new InvalidOperationException($"block {block} is free and blank"));
            places[block] = null;
        }
    }

    /// <summary>Gives blocks back, the last first: the end of a text is forgotten before its beginning.</summary>
    public void Release(IReadOnlyList<int> blocks)
    {
        for (int i = blocks.Count - 1; i >= 0; i--)
        {
            Release(blocks[i]);
        }
    }

    /// <summary>Gives one block back.</summary>
    public void Release(int block)
    {
        if (holders[block] == 0)
        {
            throw new InvalidOperationException($"block {block} is given back by nobody who holds it");
        }

        if (--holders[block] == 0)
        {
            Rest(block);
        }
    }

    /// <summary>A block that holds the content, in use or free; null if there is none.</summary>
    public CachedBlock? Find(in BlockContent content) => RememberContents ? index.Find(content) : null;

    /// <summary>
    /// Makes a full block findable by its content. Where another block holds the same already, that one stays the one found, unless nobody uses it
    /// and it holds less.
    /// </summary>
    /// <param name="block">A held block.</param>
    /// <param name="content">What it holds.</param>
    /// <param name="filled">The models whose keys and values are in it.</param>
    /// <returns>The block found from now on, which may be another; null where contents are not remembered.</returns>
    public CachedBlock? Publish(int block, in BlockContent content, ModelSet filled)
    {
        if (!RememberContents)
        {
            return null;
        }

        if (index.Find(content) is { } known && known.Block != block && holders[known.Block] == 0 && (known.Filled & filled) != filled && (known.Filled | filled) == filled)
        {
            Forget(known.Block);
        }

        return index.Add(block, content, filled);
    }

    private int Take()
    {
        if (!blank.TryPop(out int block))
        {
            block = remembered.First!.Value;
            Forget(block);
            block = blank.Pop();
        }

        holders[block] = 1;
        return block;
    }

    /// <summary>A free block with known content becomes a blank one.</summary>
    private void Forget(int block)
    {
        index.Remove(block);
        remembered.Remove(places[block]!);
        places[block] = null;
        blank.Push(block);
    }

    private void Rest(int block)
    {
        if (index.Holds(block))
        {
            places[block] = remembered.AddLast(block);
        }
        else
        {
            blank.Push(block);
        }
    }
}

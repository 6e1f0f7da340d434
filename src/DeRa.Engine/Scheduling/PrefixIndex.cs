namespace DeRa.Engine.Scheduling;

/// <summary>
/// What a full block holds: keys and values of these tokens after everything that came before. Those depend on nothing else, so blocks of equal
/// content are interchangeable, bit for bit.
/// </summary>
/// <param name="Parent">Content of the block before, 0 at the beginning: a number that is never used for anything else.</param>
/// <param name="Regime">Rotary regimes that the keys were rotated under.</param>
/// <param name="Tokens">The block's tokens.</param>
internal readonly record struct BlockContent(long Parent, (int Reference, int Aligned) Regime, int[] Tokens)
{
    public bool Equals(BlockContent other) => Parent == other.Parent && Regime == other.Regime && Tokens.AsSpan().SequenceEqual(other.Tokens);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.Add(Parent);
        hash.Add(Regime);
        foreach (int token in Tokens)
        {
            hash.Add(token);
        }

        return hash.ToHashCode();
    }
}

/// <summary>A block that holds a known content.</summary>
/// <param name="Block">The block.</param>
/// <param name="Content">Number of the content, the parent of what follows it.</param>
/// <param name="Filled">Models whose keys and values are in it; a block computed for λ = 0 has the reference's only.</param>
internal readonly record struct CachedBlock(int Block, long Content, ModelSet Filled);

/// <summary>
/// Blocks by content. Found by hash and compared token by token, so two texts are never taken for one. A content whose parent was forgotten is
/// never found again, as numbers are not used twice; its block ages like any other.
/// </summary>
internal sealed class PrefixIndex(int numBlocks)
{
    private readonly Dictionary<BlockContent, CachedBlock> blocks = [];
    private readonly BlockContent?[] contents = new BlockContent?[numBlocks];
    private long lastContent;

    public bool Holds(int block) => contents[block] is not null;

    public CachedBlock? Find(in BlockContent content) => blocks.TryGetValue(content, out CachedBlock found) ? found : null;

    /// <summary>Adds a block, or the models that it holds by now; a content that another block holds stays with that.</summary>
    public CachedBlock Add(int block, in BlockContent content, ModelSet filled)
    {
        if (!blocks.TryGetValue(content, out CachedBlock known))
        {
            known = new CachedBlock(block, ++lastContent, filled);
            contents[block] = content;
        }
        else if (known.Block == block)
        {
            known = known with { Filled = known.Filled | filled };
        }

        return blocks[content] = known;
    }

    public void Remove(int block)
    {
        blocks.Remove(contents[block]!.Value);
        contents[block] = null;
    }
}

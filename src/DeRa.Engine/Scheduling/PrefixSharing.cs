namespace DeRa.Engine.Scheduling;

/// <summary>
/// Keeps texts that begin alike on the same blocks: finds what was computed before, gives forks their parent's blocks, and lets a prompt wait
/// for another that is computing the same tokens.
/// </summary>
internal sealed class PrefixSharing(BlockManager blocks)
{
    private static readonly ModelSet[] Models = [ModelSet.Reference, ModelSet.Aligned];

    private readonly Dictionary<BlockContent, ModelSet> inStep = [];

    public SchedulerCounters Counters { get; } = new();

    /// <summary>Gives a sequence blocks for all its known tokens, found ones first; all or none.</summary>
    /// <param name="sequence">Without blocks, its regime set.</param>
    /// <param name="headroom">Blocks that have to stay free beside, unless nothing runs.</param>
    public bool TryTakeBlocks(Sequence sequence, int headroom)
    {
        while (NextContent(sequence) is { } content && blocks.Find(content) is { } found)
        {
            blocks.Share(found.Block);
            sequence.Blocks.Add(found.Block);
            sequence.Contents.Add(found.Content);
            Reach(sequence, sequence.Blocks.Count - 1, found.Filled);
        }

        int missing = blocks.BlocksFor(sequence.TargetTokens) - sequence.Blocks.Count;
        if (missing + headroom > blocks.FreeBlocks || !blocks.TryAllocate(missing, sequence.Blocks))
        {
            blocks.Release(sequence.Blocks);
            sequence.Reset();
            return false;
        }

        CountHits(sequence, 0, 0);
        return true;
    }

    /// <summary>Exchanges blocks that are still to be computed for ones that others have computed since.</summary>
    public void FindMore(Sequence sequence)
    {
        (int reference, int aligned) = (sequence.ReferenceComputed, sequence.AlignedComputed);
        int index = sequence.Computed / blocks.BlockSize;
        if (index > sequence.Contents.Count)
        {
            return; // what precedes was not published
        }

        for (; ContentAt(sequence, index) is { } content && blocks.Find(content) is { } found; index++)
        {
            if (!IsGain(sequence, index, found))
            {
                return;
            }

            Exchange(sequence, index, found);
            Reach(sequence, index, found.Filled);
        }

        CountHits(sequence, reference, aligned);
    }

    /// <summary>Forgets which prompts the last step computed.</summary>
    public void BeginStep() => inStep.Clear();

    /// <summary>
    /// Whether another prompt of this step computes the same next block, so that waiting for it saves the work; otherwise takes note that this one
    /// computes it.
    /// </summary>
    public bool WaitsForAnother(Sequence sequence)
    {
        if (!blocks.RememberContents || sequence.Computed % blocks.BlockSize != 0 || ContentAt(sequence, sequence.Computed / blocks.BlockSize) is not { } content)
        {
            return false;
        }

        if (inStep.TryGetValue(content, out ModelSet computed) && (computed & sequence.Needs) == sequence.Needs)
        {
            return true;
        }

        inStep[content] = sequence.Needs;
        return false;
    }

    /// <summary>Makes full blocks findable once a model has computed all of them, and moves to an equal block where there is one already.</summary>
    public void Publish(Sequence sequence)
    {
        int index = Math.Min(
            sequence.Needs.HasFlag(ModelSet.Reference) ? sequence.ReferencePublished : int.MaxValue,
            sequence.Needs.HasFlag(ModelSet.Aligned) ? sequence.AlignedPublished : int.MaxValue);
        for (; ContentAt(sequence, index, sequence.Tokens.Count) is { } content; index++)
        {
            int end = (index + 1) * blocks.BlockSize;
            ModelSet filled = (sequence.ReferenceComputed >= end ? ModelSet.Reference : ModelSet.None)
                | (sequence.AlignedComputed >= end ? ModelSet.Aligned : ModelSet.None);
            if (filled == ModelSet.None || blocks.Publish(sequence.Blocks[index], content, filled) is not { } found)
            {
                break;
            }

            if (index == sequence.Contents.Count)
            {
                sequence.Contents.Add(found.Content);
            }

            if (IsGain(sequence, index, found))
            {
                Exchange(sequence, index, found);
            }
        }

        sequence.ReferencePublished = sequence.ReferenceComputed / blocks.BlockSize;
        sequence.AlignedPublished = sequence.AlignedComputed / blocks.BlockSize;
    }

    /// <summary>A sequence with the same tokens on the same blocks; a block filled in part is copied when either writes on.</summary>
    public Sequence Fork(Sequence sequence)
    {
        Counters.Forks++;
        Sequence fork = sequence.Fork();
        foreach (int block in fork.Blocks)
        {
            blocks.Share(block);
        }

        int length = sequence.Tokens.Count;
        if (length % blocks.BlockSize != 0)
        {
            fork.ForkedBlock = sequence.ForkedBlock = length / blocks.BlockSize;
        }

        return fork;
    }

    /// <summary>Gives a sequence a block of its own in place of the one it shares; a free block must be there.</summary>
    public (int From, int To) CopyForkedBlock(Sequence sequence)
    {
        int index = sequence.ForkedBlock!.Value, from = sequence.Blocks[index];
        var taken = new List<int>(1);
        blocks.TryAllocate(1, taken);
        blocks.Release(from);
        sequence.Blocks[index] = taken[0];
        Counters.CopiedBlocks++;
        return (from, taken[0]);
    }

    private static int Computed(Sequence sequence, ModelSet model) =>
        model == ModelSet.Reference ? sequence.ReferenceComputed : sequence.AlignedComputed;

    private static void SetComputed(Sequence sequence, ModelSet model, int tokens)
    {
        if (model == ModelSet.Reference)
        {
            sequence.ReferenceComputed = tokens;
        }
        else
        {
            sequence.AlignedComputed = tokens;
        }
    }

    /// <summary>The content after the blocks a sequence has, if it may be taken from a cache.</summary>
    private BlockContent? NextContent(Sequence sequence) => ContentAt(sequence, sequence.Contents.Count);

    private BlockContent? ContentAt(Sequence sequence, int index) => ContentAt(sequence, index, sequence.ReusableTokens);

    /// <summary>What block <paramref name="index"/> holds once it is full; null where it reaches past <paramref name="limit"/> or what precedes is not known.</summary>
    private BlockContent? ContentAt(Sequence sequence, int index, int limit)
    {
        int start = index * blocks.BlockSize;
        return start + blocks.BlockSize > limit || index > sequence.Contents.Count
            ? null
            : new BlockContent(
                index == 0 ? 0 : sequence.Contents[index - 1], sequence.RopeRegime, sequence.TokenSpan.Slice(start, blocks.BlockSize).ToArray());
    }

    /// <summary>Whether a block holds all that the sequence has computed of its own.</summary>
    private bool IsGain(Sequence sequence, int index, CachedBlock found)
    {
        if (found.Block == sequence.Blocks[index])
        {
            return true;
        }

        foreach (ModelSet model in Models)
        {
            if (sequence.Needs.HasFlag(model) && Computed(sequence, model) > index * blocks.BlockSize && !found.Filled.HasFlag(model))
            {
                return false;
            }
        }

        return true;
    }

    private void Exchange(Sequence sequence, int index, CachedBlock found)
    {
        if (found.Block != sequence.Blocks[index])
        {
            blocks.Share(found.Block);
            blocks.Release(sequence.Blocks[index]);
            sequence.Blocks[index] = found.Block;
            foreach (ModelSet model in Models)
            {
                if (!found.Filled.HasFlag(model))
                {
                    SetComputed(sequence, model, Math.Min(Computed(sequence, model), index * blocks.BlockSize));
                }
            }
        }

        if (index == sequence.Contents.Count)
        {
            sequence.Contents.Add(found.Content);
        }
    }

    /// <summary>Counts a filled block as computed by the models that had come to its beginning.</summary>
    private void Reach(Sequence sequence, int index, ModelSet filled)
    {
        int start = index * blocks.BlockSize;
        foreach (ModelSet model in Models)
        {
            if (filled.HasFlag(model) && Computed(sequence, model) >= start)
            {
                SetComputed(sequence, model, Math.Max(Computed(sequence, model), start + blocks.BlockSize));
            }
        }
    }

    private void CountHits(Sequence sequence, int reference, int aligned)
    {
        ModelSet needs = sequence.Needs;
        Counters.PrefixHitTokens += needs.HasFlag(ModelSet.Reference) ? Math.Max(0, sequence.ReferenceComputed - reference) : 0;
        Counters.PrefixHitTokens += needs.HasFlag(ModelSet.Aligned) ? Math.Max(0, sequence.AlignedComputed - aligned) : 0;
    }
}

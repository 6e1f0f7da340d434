namespace DeRa.Engine.Scheduling;

/// <summary>A run of consecutive tokens of one sequence in a step.</summary>
/// <param name="Sequence">Whose tokens.</param>
/// <param name="Start">First token, as a position.</param>
/// <param name="Count">Tokens to compute.</param>
internal readonly record struct Chunk(Sequence Sequence, int Start, int Count)
{
    /// <summary>Whether the chunk reaches the sequence's last known token, so that the step draws the next one.</summary>
    public bool DrawsToken => End == Sequence.Tokens.Count;

    /// <summary>Position after the last token.</summary>
    public int End => Start + Count;

    /// <summary>Hidden states wanted of the chunk's last tokens: one to draw from, or one per scored position.</summary>
    public int Outputs => Sequence.IsScored ? Math.Max(0, End - Math.Max(Start, Sequence.FirstOutput)) : DrawsToken ? 1 : 0;
}

/// <summary>
/// Decides what a step computes, without touching the device: sequences wait in order of arrival, are admitted when the pool can hold them to
/// their end, and then take part in every step, prompts in chunks, under a budget of tokens per step.
/// </summary>
internal sealed class Scheduler(BlockManager blocks, int maxSequences, int maxBatchTokens)
{
    private readonly Queue<Sequence> waiting = new();
    private readonly List<Sequence> running = [];

    public bool HasWork => waiting.Count > 0 || running.Count > 0;

    /// <summary>Admitted sequences, in order of arrival.</summary>
    public IReadOnlyList<Sequence> Running => running;

    public int WaitingCount => waiting.Count;

    /// <summary>Whether the pool could ever hold so many positions of one sequence.</summary>
    public bool CanEverFit(int positions) => blocks.BlocksFor(positions) <= blocks.NumBlocks;

    public void Add(Sequence sequence) => waiting.Enqueue(sequence);

    /// <summary>Picks the next step's chunks, decodes of running sequences before prompts, so that no running one starves.</summary>
    public List<Chunk> Schedule()
    {
        Admit();
        var chunks = new List<Chunk>(running.Count);
        int budget = maxBatchTokens;
        foreach (bool decoding in (ReadOnlySpan<bool>)[true, false])
        {
            foreach (Sequence sequence in running)
            {
                int pending = sequence.TargetTokens - sequence.ComputedTokens;
                if ((pending == 1) == decoding && budget > 0)
                {
                    int count = Math.Min(pending, budget);
                    chunks.Add(new Chunk(sequence, sequence.ComputedTokens, count));
                    budget -= count;
                }
            }
        }

        return chunks;
    }

    /// <summary>Takes a sequence out, waiting or running, and gives its blocks back.</summary>
    public void Remove(Sequence sequence)
    {
        if (running.Remove(sequence))
        {
            blocks.Release(sequence.Blocks);
            sequence.Blocks = [];
            return;
        }

        int left = waiting.Count;
        for (int i = 0; i < left; i++)
        {
            Sequence next = waiting.Dequeue();
            if (!ReferenceEquals(next, sequence))
            {
                waiting.Enqueue(next);
            }
        }
    }

    private void Admit()
    {
        while (running.Count < maxSequences && waiting.TryPeek(out Sequence? next) && blocks.TryAllocate(next.MaxPositions, out int[] taken))
        {
            next.Blocks = taken;
            running.Add(waiting.Dequeue());
        }
    }
}

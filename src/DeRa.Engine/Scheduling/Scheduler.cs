namespace DeRa.Engine.Scheduling;

/// <summary>
/// Decides what a step computes, without touching the device. Sequences wait in order of arrival and are admitted when the pool holds what they
/// need now; running ones take further blocks as they grow. Where none is left, the one that arrived last gives its blocks back and waits again.
/// Each step computes the newest token of every running sequence and, with what the budget leaves, prompts in chunks.
/// </summary>
/// <param name="blocks">The pool.</param>
/// <param name="maxJobs">Jobs that run together.</param>
/// <param name="maxBatchTokens">Tokens per step, at least <paramref name="maxJobs"/>.</param>
/// <param name="regimeOf">Rotary regimes of both models at a length.</param>
internal sealed class Scheduler(BlockManager blocks, int maxJobs, int maxBatchTokens, Func<int, (int Reference, int Aligned)> regimeOf)
{
    private readonly SortedSet<Sequence> waiting = new(Comparer<Sequence>.Create((a, b) => a.Arrival.CompareTo(b.Arrival)));
    private readonly List<Sequence> running = [];
    private readonly PrefixSharing sharing = new(blocks);
    private readonly StepPlan plan = new();
    private long arrivals;

    public bool HasWork => waiting.Count > 0 || running.Count > 0;

    /// <summary>Admitted sequences; in order of arrival after <see cref="Schedule"/>.</summary>
    public IReadOnlyList<Sequence> Running => running;

    /// <summary>Jobs of waiting sequences; counted as they come and go, for there may be thousands.</summary>
    public int WaitingJobs { get; private set; }

    public int RunningJobs => running.Sum(sequence => sequence.Jobs.Count);

    public SchedulerCounters Counters => sharing.Counters;

    /// <summary>Whether the pool could ever hold so many positions of one sequence.</summary>
    public bool CanEverFit(int positions) => blocks.BlocksFor(positions) <= blocks.NumBlocks;

    /// <summary>Takes a job with a sequence of its own; it has to fit the pool to its end.</summary>
    public void Add(Job job)
    {
        job.Arrival = ++arrivals;
        job.Sequence.Refresh();
        Wait(job.Sequence);
    }

    /// <summary>Takes a job out, whether it waits or runs; what nobody else needs is given back.</summary>
    public void Remove(Job job)
    {
        Sequence sequence = job.Sequence;
        bool waits = StopWaiting(sequence);
        sequence.Detach(candidate => ReferenceEquals(candidate, job));
        if (sequence.Jobs.Count == 0)
        {
            running.Remove(sequence);
            GiveBack(sequence);
        }
        else if (waits)
        {
            Wait(sequence);
        }
    }

    /// <summary>Picks the next step's work. What is returned is valid until the next call.</summary>
    public StepPlan Schedule()
    {
        plan.Clear();
        RestartWhereRotationsChanged();
        SortRunning();
        if (GrowRunning())
        {
            Admit();
            SortRunning();
        }

        PlanChunks();
        return plan;
    }

    /// <summary>
    /// Gives a running sequence places for positions past its tokens, where that takes nothing from others: a block has to stay free for each that
    /// runs. Whether it has them.
    /// </summary>
    public bool TryReserve(Sequence sequence, int positions)
    {
        int missing = blocks.BlocksFor(positions) - sequence.Blocks.Count;
        return missing <= 0 || (missing + running.Count <= blocks.FreeBlocks && blocks.TryAllocate(missing, sequence.Blocks));
    }

    /// <summary>Takes note that a chunk was computed. Before <see cref="Advance"/> of its sequence.</summary>
    public void Complete(in Chunk chunk)
    {
        Sequence sequence = chunk.Sequence;
        bool decodes = chunk.Count == 1 && chunk.Start >= sequence.Jobs[0].PromptLength;
        if (decodes)
        {
            Counters.DecodeTokens += 2 * chunk.End - chunk.ReferenceStart - chunk.AlignedStart;
        }
        else
        {
            Counters.ReferencePrefillTokens += chunk.End - chunk.ReferenceStart;
            Counters.AlignedPrefillTokens += chunk.End - chunk.AlignedStart;
        }

        sequence.HasRun = true;
        sequence.ReferenceComputed = chunk.ReferenceStart < chunk.End ? chunk.End : sequence.ReferenceComputed;
        sequence.AlignedComputed = chunk.AlignedStart < chunk.End ? chunk.End : sequence.AlignedComputed;
        if (sequence.IsScored)
        {
            sequence.FirstOutput = Math.Max(sequence.FirstOutput, chunk.End); // computed again after a preemption, it is not scored twice
        }

        // A regime that the next token leaves would only push out what may be found again.
        if (regimeOf(sequence.Tokens.Count + 1) == sequence.RopeRegime || sequence.IsScored)
        {
            sharing.Publish(sequence);
        }
    }

    /// <summary>Appends what the sequence's jobs have drawn. Ended jobs leave it; those that drew another token than the first go on in forks.</summary>
    public void Advance(Sequence sequence)
    {
        sequence.Detach(job => job.Ended);
        if (sequence.Jobs.Count == 0)
        {
            running.Remove(sequence);
            GiveBack(sequence);
            return;
        }

        if (sequence.IsScored)
        {
            return;
        }

        IGrouping<int, Job>[] byToken = [.. sequence.Jobs.GroupBy(job => job.LastToken)];
        foreach (IGrouping<int, Job> others in byToken.Skip(1))
        {
            Sequence fork = sharing.Fork(sequence);
            sequence.Detach(job => job.LastToken == others.Key);
            foreach (Job job in others)
            {
                fork.Attach(job);
            }

            fork.Append(others.Key);
            running.Add(fork);
        }

        sequence.Append(byToken[0].Key);
    }

    /// <summary>
    /// Where a sequence grows into another regime of its rotary scaling (LongRoPE, dynamic NTK), the keys in its cache were rotated by other
    /// frequencies; computing it anew keeps the result that of a full recompute.
    /// </summary>
    private void RestartWhereRotationsChanged()
    {
        foreach (Sequence sequence in running.Where(sequence => sequence.RopeRegime != regimeOf(sequence.Tokens.Count)).ToArray())
        {
            Counters.Restarts++;
            Requeue(sequence);
        }
    }

    /// <summary>Gives every running sequence the blocks of its next token, pushing out the last to arrive where none are left; whether nobody had to go.</summary>
    private bool GrowRunning()
    {
        bool all = true;
        for (int i = 0; i < running.Count; i++)
        {
            Sequence sequence = running[i];
            while (!TryGrow(sequence))
            {
                all = false;
                Sequence last = running[^1];
                Counters.Preemptions++;
                Requeue(last);
                if (ReferenceEquals(last, sequence))
                {
                    break;
                }
            }
        }

        return all;
    }

    /// <summary>Blocks for all known tokens, none of them with another text's tokens where this one writes.</summary>
    private bool TryGrow(Sequence sequence)
    {
        int missing = blocks.BlocksFor(sequence.TargetTokens) - sequence.Blocks.Count;
        bool copies = sequence.ForkedBlock is int forked && blocks.Holders(sequence.Blocks[forked]) > 1;
        if (Math.Max(0, missing) + (copies ? 1 : 0) > blocks.FreeBlocks)
        {
            return false;
        }

        if (missing > 0)
        {
            blocks.TryAllocate(missing, sequence.Blocks);
        }

        if (copies)
        {
            plan.Copies.Add(sharing.CopyForkedBlock(sequence));
        }

        sequence.ForkedBlock = null;
        return true;
    }

    private void Admit()
    {
        while (waiting.Min is { } next && RunningJobs + next.Jobs.Count <= maxJobs)
        {
            if (!next.IsScored && running.Find(sequence => CanJoin(next, sequence)) is { } same)
            {
                StopWaiting(next);
                foreach (Job job in next.Jobs)
                {
                    same.Attach(job);
                }

                continue;
            }

            // A block of headroom per running sequence: admitting what makes another give way at its next block would compute for nothing.
            next.RopeRegime = regimeOf(next.Tokens.Count);
            if (!sharing.TryTakeBlocks(next, headroom: running.Count))
            {
                return;
            }

            StopWaiting(next);
            running.Add(next);
        }
    }

    /// <summary>Equal tokens continue together, unless that made the running one catch up with a model that it did not need.</summary>
    private static bool CanJoin(Sequence next, Sequence sequence) =>
        !sequence.IsScored
        && (!sequence.HasRun || (sequence.Needs | next.Needs) == sequence.Needs)
        && next.TokenSpan.SequenceEqual(sequence.TokenSpan);

    /// <summary>Newest tokens first, so that no running text waits for another's prompt; then prompts in order of arrival.</summary>
    private void PlanChunks()
    {
        int budget = maxBatchTokens;
        foreach (Sequence sequence in running)
        {
            if (sequence.TargetTokens - sequence.Computed == 1 && budget > 0)
            {
                budget -= AddChunk(sequence, budget);
            }
        }

        sharing.BeginStep();
        foreach (Sequence sequence in running)
        {
            if (sequence.TargetTokens - sequence.Computed > 1 && budget > 0)
            {
                sharing.FindMore(sequence);
                if (!sharing.WaitsForAnother(sequence))
                {
                    budget -= AddChunk(sequence, budget);
                }
            }
        }
    }

    private int AddChunk(Sequence sequence, int budget)
    {
        int start = sequence.Computed, end = Math.Min(sequence.TargetTokens, start + budget);
        ModelSet needs = sequence.Needs;
        var chunk = new Chunk(
            sequence,
            needs.HasFlag(ModelSet.Reference) ? Math.Min(sequence.ReferenceComputed, end) : end,
            needs.HasFlag(ModelSet.Aligned) ? Math.Min(sequence.AlignedComputed, end) : end,
            end);
        plan.Chunks.Add(chunk);
        return chunk.Count;
    }

    private void Requeue(Sequence sequence)
    {
        running.Remove(sequence);
        GiveBack(sequence);
        Wait(sequence);
    }

    private void Wait(Sequence sequence)
    {
        waiting.Add(sequence);
        WaitingJobs += sequence.Jobs.Count;
    }

    private bool StopWaiting(Sequence sequence)
    {
        bool waited = waiting.Remove(sequence);
        WaitingJobs -= waited ? sequence.Jobs.Count : 0;
        return waited;
    }

    private void GiveBack(Sequence sequence)
    {
        blocks.Release(sequence.Blocks);
        sequence.Reset();
    }

    private void SortRunning() => running.Sort((a, b) => a.Arrival.CompareTo(b.Arrival));
}

using DeRa.Engine.Scheduling;

namespace DeRa.Engine.Tests.Scheduling;

/// <summary>
/// Both models' caches as lists of what each slot holds: the text up to its position and the rotations it was written under. A chunk may be
/// computed only where every earlier position of its block table holds this very text for that model: what attention would read.
/// </summary>
internal sealed class SimulatedDevice(int numBlocks, int blockSize)
{
    private readonly Dictionary<ModelSet, ulong[]> slots = new()
    {
        [ModelSet.Reference] = new ulong[numBlocks * blockSize],
        [ModelSet.Aligned] = new ulong[numBlocks * blockSize],
    };

    /// <summary>Tokens that each model has run over.</summary>
    public Dictionary<ModelSet, int> Computed { get; } = new() { [ModelSet.Reference] = 0, [ModelSet.Aligned] = 0 };

    /// <summary>Runs a step and commits it as the engine does.</summary>
    public void Run(Scheduler scheduler, StepPlan plan)
    {
        foreach ((int from, int to) in plan.Copies)
        {
            foreach (ulong[] pool in slots.Values)
            {
                Array.Copy(pool, from * blockSize, pool, to * blockSize, blockSize);
            }
        }

        foreach (Chunk chunk in plan.Chunks)
        {
            Compute(chunk, ModelSet.Reference, chunk.ReferenceStart);
            Compute(chunk, ModelSet.Aligned, chunk.AlignedStart);
        }

        Commit(scheduler, plan);
    }

    private static void Commit(Scheduler scheduler, StepPlan plan)
    {
        foreach (Chunk chunk in plan.Chunks)
        {
            bool advances = chunk.DrawsToken || chunk.Sequence.IsScored;
            foreach (SimulatedJob job in chunk.Sequence.Jobs.Cast<SimulatedJob>())
            {
                if (chunk.Sequence.IsScored)
                {
                    job.Score(Enumerable.Range(chunk.End - chunk.Outputs, chunk.Outputs));
                }
                else if (chunk.DrawsToken)
                {
                    job.Draw();
                }
            }

            scheduler.Complete(chunk);
            if (advances)
            {
                scheduler.Advance(chunk.Sequence);
            }
        }
    }

    private void Compute(Chunk chunk, ModelSet model, int start)
    {
        Sequence sequence = chunk.Sequence;
        if (start == chunk.End)
        {
            return;
        }

        Assert.That(sequence.Needs.HasFlag(model), $"{model} is not needed");
        Computed[model] += chunk.End - start;
        int regime = model == ModelSet.Reference ? sequence.RopeRegime.Reference : sequence.RopeRegime.Aligned;
        ulong[] pool = slots[model];
        ulong content = (ulong)regime + 1; // a hash of the text up to a position; 0 is never one
        for (int position = 0; position < chunk.End; position++)
        {
            content = ((content ^ (uint)sequence.Tokens[position]) * 0x9E3779B97F4A7C15) | 1;
            int slot = (sequence.Blocks[position / blockSize] * blockSize) + (position % blockSize);
            if (position >= start)
            {
                pool[slot] = content;
            }
            else if (pool[slot] != content)
            {
                Assert.Fail($"{model}, position {position} of {sequence.Tokens.Count}: the slot holds {(pool[slot] == 0 ? "nothing" : "another text")}");
            }
        }
    }
}

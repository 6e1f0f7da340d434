using CsCheck;
using DeRa.Engine.Scheduling;

namespace DeRa.Engine.Tests.Scheduling;

/// <summary>
/// Random workloads against simulated caches: whatever the load, budget, pool and sharing, every job gets what it gets alone, no position is
/// read that does not hold its text, steps keep to their budget, and all blocks come back.
/// </summary>
public sealed class SchedulerPropertyTests
{
    private const int BlockSize = 4;

    /// <summary>One job: which beginning, how many tokens of it, a tail of its own, and what it asks for.</summary>
    private sealed record Plan(int Family, int Length, int Tail, int MaxTokens, int Needs, int Seed, int Arrival, int Lifetime, bool Scored);

    private sealed record Workload(int Blocks, int Jobs, int ExtraTokens, int Vocabulary, bool Remember, int Rope, Plan[] Plans);

    [Test]
    public void Every_job_gets_what_it_gets_alone() => Workloads().Sample(workload => Run(workload), iter: 2000);

    private static Gen<Workload> Workloads()
    {
        Gen<Plan> plan = Gen.Select(
            Gen.Select(Gen.Int[0, 2], Gen.Int[1, 30], Gen.Int[0, 3]), Gen.Int[1, 14], Gen.Int[1, 3], Gen.Int[0, 3],
            Gen.Int[0, 25], Gen.Int[0, 60], Gen.Int[0, 5],
            (text, maxTokens, needs, seed, arrival, lifetime, scored) => new Plan(
                text.Item1, text.Item2, text.Item3, maxTokens, needs, seed, arrival, lifetime > 20 ? int.MaxValue : lifetime, scored == 0));
        return Gen.Select(
            Gen.Int[13, 60], Gen.Int[1, 10], Gen.Int[0, 20], Gen.Int[1, 4], Gen.Int[0, 4], Gen.Int[0, 3], plan.Array[1, 24],
            (blocks, jobs, extra, vocabulary, remember, rope, plans) => new Workload(blocks, jobs, extra, vocabulary, remember > 0, rope, plans));
    }

    private static void Run(Workload workload)
    {
        var blocks = new BlockManager(workload.Blocks, BlockSize, workload.Remember);
        var scheduler = new Scheduler(blocks, workload.Jobs, workload.Jobs + workload.ExtraTokens, RegimeOf(workload.Rope));
        var device = new SimulatedDevice(workload.Blocks, BlockSize);
        SimulatedJob[] jobs = [.. workload.Plans.Select(plan => Job(plan, workload.Vocabulary))];
        int[][] prompts = [.. jobs.Select(job => job.Sequence.Tokens.ToArray())];
        var cancelled = new HashSet<SimulatedJob>();
        for (int step = 0; step <= 25 || scheduler.HasWork; step++)
        {
            for (int i = 0; i < jobs.Length; i++)
            {
                if (workload.Plans[i].Arrival == step)
                {
                    scheduler.Add(jobs[i]);
                }
                else if (step - workload.Plans[i].Arrival == workload.Plans[i].Lifetime && !jobs[i].Ended)
                {
                    scheduler.Remove(jobs[i]);
                    cancelled.Add(jobs[i]);
                }
            }

            if (scheduler.HasWork)
            {
                StepPlan plan = scheduler.Schedule();
                Assert.That(plan.Chunks, Is.Not.Empty, "a step that computes nothing would be followed by another");
                Assert.That(plan.Chunks.Sum(chunk => chunk.Count), Is.LessThanOrEqualTo(workload.Jobs + workload.ExtraTokens));
                Assert.That(scheduler.RunningJobs, Is.LessThanOrEqualTo(workload.Jobs));
                device.Run(scheduler, plan);
            }

            Assert.That(step, Is.LessThan(20_000), "no end");
        }

        Assert.That(blocks.UsedBlocks, Is.Zero);
        for (int i = 0; i < jobs.Length; i++)
        {
            Plan plan = workload.Plans[i];
            if (!cancelled.Contains(jobs[i]))
            {
                Assert.That(jobs[i].Output, Is.EqualTo(plan.Scored && prompts[i].Length > 1
                    ? Enumerable.Range(0, prompts[i].Length - 1)
                    : SimulatedJob.Alone(prompts[i], plan.MaxTokens, plan.Seed, workload.Vocabulary)));
            }
        }
    }

    private static SimulatedJob Job(Plan plan, int vocabulary)
    {
        int[] prompt = [.. Enumerable.Range(plan.Family * 100, plan.Length), .. Enumerable.Repeat(plan.Tail, plan.Tail)];
        return plan.Scored && prompt.Length > 1
            ? SimulatedJob.Scoring(prompt, from: 1)
            : new SimulatedJob(prompt, plan.MaxTokens, (ModelSet)plan.Needs, plan.Seed, vocabulary);
    }

    /// <summary>No regimes, one change of both or of one model, or a regime per length.</summary>
    private static Func<int, (int Reference, int Aligned)> RegimeOf(int rope) => rope switch
    {
        1 => length => length > 20 ? (1, 1) : (0, 0),
        2 => length => (0, length > 12 ? 1 : 0),
        3 => length => length > 24 ? (length, 0) : (0, 0),
        _ => _ => (0, 0),
    };
}

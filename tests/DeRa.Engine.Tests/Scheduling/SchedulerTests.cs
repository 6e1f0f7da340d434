using DeRa.Engine.Scheduling;

namespace DeRa.Engine.Tests.Scheduling;

/// <summary>The scheduler without a device: what a step computes.</summary>
public sealed class SchedulerTests
{
    private const int BlockSize = 4;

    [Test]
    public void Prefills_long_prompts_in_chunks_and_then_decodes()
    {
        Scheduler scheduler = New(blocks: 100, jobs: 4, tokens: 10);
        scheduler.Add(new SimulatedJob(Text(25), 3));
        Assert.That(Steps(scheduler, 100, 5), Is.EqualTo((string[])["0+10", "10+10", "20+5*", "25+1*", "26+1*"]));
        Assert.That(scheduler.HasWork, Is.False);
    }

    [Test]
    public void Newest_tokens_of_running_texts_come_before_prompts()
    {
        Scheduler scheduler = New(blocks: 100, jobs: 4, tokens: 8);
        var device = new SimulatedDevice(100, BlockSize);
        scheduler.Add(new SimulatedJob(Text(4), 10));
        device.Run(scheduler, scheduler.Schedule());
        scheduler.Add(new SimulatedJob(Text(60, 7), 1));
        Assert.That(scheduler.Schedule().Chunks.Select(chunk => chunk.Count), Is.EqualTo((int[])[1, 7]));
    }

    [Test]
    public void Admits_in_order_of_arrival_what_the_pool_holds_now()
    {
        Scheduler scheduler = New(blocks: 4, jobs: 4, tokens: 100);
        SimulatedJob large = new(Text(10), 6), larger = new(Text(11, 5), 2), small = new(Text(1, 9), 1);
        scheduler.Add(large);
        scheduler.Add(larger);
        scheduler.Add(small);
        scheduler.Schedule();
        Assert.That(scheduler.Running, Is.EqualTo((Sequence[])[large.Sequence]), "the third would fit, but the second was there before it");
        scheduler.Remove(large);
        scheduler.Schedule();
        Assert.That(scheduler.Running, Is.EqualTo((Sequence[])[larger.Sequence]));
    }

    [Test]
    public void The_last_to_arrive_gives_way_and_comes_back()
    {
        // Each begins with one block of 4 positions and grows to three; the pool has five.
        Scheduler scheduler = New(blocks: 5, jobs: 4, tokens: 100);
        var device = new SimulatedDevice(5, BlockSize);
        SimulatedJob first = new(Text(3), 9, seed: 1, vocabulary: 50), second = new(Text(3, 40), 9, seed: 2, vocabulary: 50);
        scheduler.Add(first);
        scheduler.Add(second);
        var lengths = new List<string>();
        while (scheduler.HasWork)
        {
            device.Run(scheduler, scheduler.Schedule());
            lengths.Add($"{first.Output.Count}/{second.Output.Count}");
        }

        Assert.That(scheduler.Counters.Preemptions, Is.EqualTo(1));
        Assert.That(lengths, Does.Contain("9/5").Or.Contain("9/6"), string.Join(' ', lengths));
        Assert.That(second.Output, Is.EqualTo(SimulatedJob.Alone(Text(3, 40), 9, 2, 50)));
    }

    [Test]
    public void Equal_prompts_are_computed_once_and_part_where_they_draw_differently()
    {
        Scheduler scheduler = New(blocks: 100, jobs: 16, tokens: 512);
        var device = new SimulatedDevice(100, BlockSize);
        SimulatedJob[] jobs = [.. Enumerable.Range(0, 16).Select(i => new SimulatedJob(Text(30), 5, Needs(i), seed: i, vocabulary: 3))];
        foreach (SimulatedJob job in jobs)
        {
            scheduler.Add(job);
        }

        device.Run(scheduler, scheduler.Schedule());
        Assert.That(device.Computed.Values, Is.All.EqualTo(30), "each model runs over the prompt once");
        Assert.That(scheduler.Running, Has.Count.EqualTo(3), "three tokens were drawn");
        device.Run(scheduler, scheduler.Schedule());
        Assert.That(scheduler.Counters.CopiedBlocks, Is.EqualTo(2), "30 tokens end in the middle of a block; the last to part keeps it");
        while (scheduler.HasWork)
        {
            device.Run(scheduler, scheduler.Schedule());
        }

        Assert.That(scheduler.Counters.ReferencePrefillTokens, Is.EqualTo(30));
        Assert.That(scheduler.Counters.AlignedPrefillTokens, Is.EqualTo(30));
        for (int i = 0; i < jobs.Length; i++)
        {
            Assert.That(jobs[i].Output, Is.EqualTo(SimulatedJob.Alone(Text(30), 5, i, 3)));
        }

        static ModelSet Needs(int i) => i switch { 0 => ModelSet.Reference, 1 => ModelSet.Aligned, _ => ModelSet.Both };
    }

    [Test]
    public void A_later_prompt_takes_what_an_earlier_one_computed_model_by_model()
    {
        Scheduler scheduler = New(blocks: 100, jobs: 4, tokens: 512);
        var device = new SimulatedDevice(100, BlockSize);
        Run(new SimulatedJob(Text(21), 2, ModelSet.Reference));
        Assert.That(Computed(), Is.EqualTo((22, 0)));
        Run(new SimulatedJob([.. Text(21), 99], 1));
        Assert.That(Computed(), Is.EqualTo((24, 22)), "the reference's 20 tokens are there, the aligned model's are not");
        Run(new SimulatedJob(Text(21), 1, ModelSet.Aligned));
        Assert.That(Computed(), Is.EqualTo((24, 23)), "by now both are");
        Assert.That(scheduler.Counters.PrefixHitTokens, Is.EqualTo(40));

        void Run(SimulatedJob job)
        {
            scheduler.Add(job);
            while (scheduler.HasWork)
            {
                device.Run(scheduler, scheduler.Schedule());
            }
        }

        (int, int) Computed() => (device.Computed[ModelSet.Reference], device.Computed[ModelSet.Aligned]);
    }

    [Test]
    public void Prompts_that_begin_alike_and_arrive_together_compute_the_beginning_once()
    {
        Scheduler scheduler = New(blocks: 100, jobs: 8, tokens: 512);
        var device = new SimulatedDevice(100, BlockSize);
        for (int i = 0; i < 8; i++)
        {
            scheduler.Add(new SimulatedJob([.. Text(40), 100 + i, 200], 2, seed: i));
        }

        while (scheduler.HasWork)
        {
            device.Run(scheduler, scheduler.Schedule());
        }

        Assert.That(scheduler.Counters.ReferencePrefillTokens, Is.EqualTo(40 + (8 * 2)));
    }

    [Test]
    public void Scores_every_position_once_and_reuses_only_what_is_not_scored()
    {
        Scheduler scheduler = New(blocks: 100, jobs: 4, tokens: 7);
        var device = new SimulatedDevice(100, BlockSize);
        SimulatedJob first = SimulatedJob.Scoring(Text(23), from: 9), second = SimulatedJob.Scoring(Text(23), from: 9);
        foreach (SimulatedJob job in (SimulatedJob[])[first, second])
        {
            scheduler.Add(job);
            while (scheduler.HasWork)
            {
                device.Run(scheduler, scheduler.Schedule());
            }

            Assert.That(job.Output, Is.EqualTo(Enumerable.Range(8, 14)), "the hidden state at t predicts t + 1");
        }

        Assert.That(scheduler.Counters.ReferencePrefillTokens, Is.EqualTo(22 + 14), "positions 0 to 7 are two blocks");
    }

    private static Scheduler New(int blocks, int jobs, int tokens) => new(new BlockManager(blocks, BlockSize), jobs, tokens, _ => (0, 0));

    private static int[] Text(int length, int first = 0) => [.. Enumerable.Range(first, length)];

    private static List<string> Steps(Scheduler scheduler, int blocks, int count)
    {
        var device = new SimulatedDevice(blocks, BlockSize);
        var steps = new List<string>();
        for (int i = 0; i < count; i++)
        {
            StepPlan plan = scheduler.Schedule();
            steps.Add(string.Join(' ', plan.Chunks.Select(chunk => $"{chunk.Start}+{chunk.Count}{(chunk.DrawsToken ? "*" : "")}")));
            device.Run(scheduler, plan);
        }

        return steps;
    }
}

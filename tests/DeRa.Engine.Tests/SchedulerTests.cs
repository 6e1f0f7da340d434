using DeRa.Engine.Scheduling;

namespace DeRa.Engine.Tests;

/// <summary>The scheduler without a device: what a step computes, and that everything taken is given back.</summary>
public sealed class SchedulerTests
{
    [Test]
    public void Prefills_long_prompts_in_chunks_and_then_decodes()
    {
        var scheduler = new Scheduler(new BlockManager(100, 16), maxSequences: 4, maxBatchTokens: 10);
        Sequence sequence = Sequence(prompt: 25, maxTokens: 3);
        scheduler.Add(sequence);
        Assert.That(Steps(scheduler, 5), Is.EqualTo((string[])["0+10", "10+10", "20+5*", "25+1*", "26+1*"]));
    }

    [Test]
    public void Decodes_of_running_sequences_come_before_prompts()
    {
        var scheduler = new Scheduler(new BlockManager(100, 16), maxSequences: 4, maxBatchTokens: 8);
        Sequence first = Sequence(prompt: 4, maxTokens: 10);
        scheduler.Add(first);
        Commit(scheduler.Schedule());
        scheduler.Add(Sequence(prompt: 100, maxTokens: 1));
        List<Chunk> chunks = scheduler.Schedule();
        Assert.That(chunks[0].Sequence, Is.SameAs(first));
        Assert.That(chunks.Select(chunk => chunk.Count), Is.EqualTo((int[])[1, 7]));
    }

    [Test]
    public void Admits_in_order_of_arrival_and_only_what_fits_to_its_end()
    {
        var blocks = new BlockManager(4, 16);
        var scheduler = new Scheduler(blocks, maxSequences: 4, maxBatchTokens: 100);
        Sequence large = Sequence(prompt: 30, maxTokens: 20), small = Sequence(prompt: 1, maxTokens: 1), larger = Sequence(prompt: 40, maxTokens: 10);
        scheduler.Add(large);
        scheduler.Add(larger);
        scheduler.Add(small);
        scheduler.Schedule();
        Assert.That(scheduler.Running, Is.EqualTo((Sequence[])[large]), "the third would fit, but the second was there before it");
        scheduler.Remove(large);
        scheduler.Schedule();
        Assert.That(scheduler.Running, Is.EqualTo((Sequence[])[larger]));
        scheduler.Remove(larger);
        scheduler.Remove(small);
        Assert.That(scheduler.HasWork, Is.False);
        Assert.That(blocks.UsedBlocks, Is.Zero);
    }

    [Test]
    public void Knows_what_can_never_fit()
    {
        var scheduler = new Scheduler(new BlockManager(2, 16), 4, 100);
        Assert.That(scheduler.CanEverFit(32), Is.True);
        Assert.That(scheduler.CanEverFit(33), Is.False);
    }

    [Test]
    public void Every_token_is_computed_once_whatever_the_order([Values(1, 2, 3, 4)] int seed)
    {
        var random = new Random(seed);
        var blocks = new BlockManager(40, 16);
        var scheduler = new Scheduler(blocks, maxSequences: 5, maxBatchTokens: 23);
        var expected = new Dictionary<Sequence, int>();
        var computed = new Dictionary<Sequence, int>();
        int arrived = 0;
        while (arrived < 60 || scheduler.HasWork)
        {
            while (arrived < 60 && random.Next(3) == 0)
            {
                Sequence next = Sequence(prompt: random.Next(1, 120), maxTokens: random.Next(1, 30));
                expected[next] = next.MaxPositions;
                scheduler.Add(next);
                arrived++;
            }

            List<Chunk> chunks = scheduler.Schedule();
            Assert.That(chunks.Sum(chunk => chunk.Count), Is.LessThanOrEqualTo(23));
            foreach (Chunk chunk in chunks)
            {
                Assert.That(chunk.Start, Is.EqualTo(computed.GetValueOrDefault(chunk.Sequence)));
                computed[chunk.Sequence] = chunk.Start + chunk.Count;
            }

            foreach (Sequence done in Commit(chunks))
            {
                scheduler.Remove(done);
            }
        }

        Assert.That(computed, Is.EqualTo(expected));
        Assert.That(blocks.UsedBlocks, Is.Zero);
    }

    /// <summary>Commits as the engine does; returns the sequences that reached their last token.</summary>
    private static List<Sequence> Commit(List<Chunk> chunks)
    {
        var done = new List<Sequence>();
        foreach (Chunk chunk in chunks)
        {
            bool draws = chunk.DrawsToken;
            chunk.Sequence.ComputedTokens = chunk.Start + chunk.Count;
            if (draws)
            {
                chunk.Sequence.Append(7);
                if (chunk.Sequence.OutputLength == chunk.Sequence.MaxTokens)
                {
                    done.Add(chunk.Sequence);
                }
            }
        }

        return done;
    }

    private static List<string> Steps(Scheduler scheduler, int count)
    {
        var steps = new List<string>();
        for (int i = 0; i < count; i++)
        {
            List<Chunk> chunks = scheduler.Schedule();
            steps.Add(string.Join(' ', chunks.Select(chunk => $"{chunk.Start}+{chunk.Count}{(chunk.DrawsToken ? "*" : "")}")));
            Commit(chunks);
        }

        return steps;
    }

    private static Sequence Sequence(int prompt, int maxTokens) =>
        new([.. Enumerable.Range(0, prompt)], maxTokens);
}

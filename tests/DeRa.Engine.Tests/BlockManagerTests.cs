using DeRa.Engine.Scheduling;

namespace DeRa.Engine.Tests;

public sealed class BlockManagerTests
{
    [TestCase(0, 0)]
    [TestCase(1, 1)]
    [TestCase(16, 1)]
    [TestCase(17, 2)]
    [TestCase(int.MaxValue, 134_217_728)]
    public void Counts_blocks_without_overflow(int positions, int expected) =>
        Assert.That(new BlockManager(4, 16).BlocksFor(positions), Is.EqualTo(expected));

    [Test]
    public void Takes_all_blocks_of_a_sequence_or_none()
    {
        var blocks = new BlockManager(4, 16);
        Assert.That(blocks.TryAllocate(33, out int[] first), Is.True);
        Assert.That(first, Has.Length.EqualTo(3));
        Assert.That(blocks.TryAllocate(17, out int[] second), Is.False);
        Assert.That(second, Is.Empty);
        Assert.That(blocks.FreeBlocks, Is.EqualTo(1));
        blocks.Release(first);
        Assert.That(blocks.UsedBlocks, Is.Zero);
    }

    [Test]
    public void Never_hands_out_a_block_twice([Values(1, 2, 3)] int seed)
    {
        var random = new Random(seed);
        var blocks = new BlockManager(50, 16);
        var held = new List<int[]>();
        for (int round = 0; round < 2000; round++)
        {
            if (random.Next(2) == 0 && blocks.TryAllocate(random.Next(1, 200), out int[] taken))
            {
                held.Add(taken);
            }
            else if (held.Count > 0)
            {
                int index = random.Next(held.Count);
                blocks.Release(held[index]);
                held.RemoveAt(index);
            }

            int[] all = [.. held.SelectMany(table => table)];
            Assert.That(all.Distinct().Count(), Is.EqualTo(all.Length));
            Assert.That(blocks.UsedBlocks, Is.EqualTo(all.Length));
        }
    }
}

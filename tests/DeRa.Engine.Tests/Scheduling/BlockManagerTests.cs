using CsCheck;
using DeRa.Engine.Scheduling;

namespace DeRa.Engine.Tests.Scheduling;

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
    public void Takes_all_blocks_or_none()
    {
        var blocks = new BlockManager(4, 16);
        var taken = new List<int>();
        Assert.That(blocks.TryAllocate(3, taken), Is.True);
        Assert.That(taken, Is.Unique.And.Count.EqualTo(3));
        Assert.That(blocks.TryAllocate(2, taken), Is.False);
        Assert.That(taken, Has.Count.EqualTo(3));
        blocks.Release(taken);
        Assert.That(blocks.UsedBlocks, Is.Zero);
        Assert.That(() => blocks.Release(taken), Throws.InvalidOperationException, "given back twice");
    }

    [Test]
    public void What_was_given_back_longest_ago_is_forgotten_first()
    {
        var blocks = new BlockManager(3, 2);
        var taken = new List<int>();
        blocks.TryAllocate(3, taken);
        for (int i = 0; i < 3; i++)
        {
            blocks.Publish(taken[i], Content(i), ModelSet.Both);
        }

        blocks.Release(taken[1]);
        blocks.Release(taken[0]);
        blocks.Release(taken[2]);
        blocks.Share(taken[1]); // used again, and given back last
        blocks.Release(taken[1]);
        var next = new List<int>();
        blocks.TryAllocate(2, next);
        Assert.That(next, Is.EqualTo((int[])[taken[0], taken[2]]));
        Assert.That(blocks.Find(Content(0)), Is.Null);
        Assert.That(blocks.Find(Content(2)), Is.Null);
        Assert.That(blocks.Find(Content(1))!.Value.Block, Is.EqualTo(taken[1]));
    }

    [Test]
    public void A_free_block_with_less_in_it_gives_way_to_one_with_more()
    {
        var blocks = new BlockManager(2, 2);
        var taken = new List<int>();
        blocks.TryAllocate(2, taken);
        blocks.Publish(taken[0], Content(5), ModelSet.Reference);
        Assert.That(blocks.Publish(taken[1], Content(5), ModelSet.Both)!.Value.Block, Is.EqualTo(taken[0]), "in use: it stays the one found");
        blocks.Release(taken[0]);
        Assert.That(blocks.Publish(taken[1], Content(5), ModelSet.Both)!.Value.Block, Is.EqualTo(taken[1]));
        Assert.That(blocks.Find(Content(5))!.Value.Filled, Is.EqualTo(ModelSet.Both));
    }

    /// <summary>Random takes, shares, returns and publications, against counts kept beside.</summary>
    [Test]
    public void Holders_are_counted_and_nothing_is_lost() => Gen.Select(Gen.Int[1, 12], Gen.Int[0, 3].Select(Gen.Int[0, 1000]).Array[0, 200]).Sample((size, actions) =>
    {
        var blocks = new BlockManager(size, 2);
        var held = new List<int>(); // one entry per holder
        foreach ((int action, int choice) in actions)
        {
            switch (action)
            {
                case 0:
                    var taken = new List<int>();
                    if (blocks.TryAllocate(choice % 4, taken) && taken.Exists(held.Contains))
                    {
                        return false;
                    }

                    held.AddRange(taken);
                    break;
                case 1 when held.Count > 0:
                    int block = held[choice % held.Count];
                    held.Remove(block);
                    blocks.Release(block);
                    break;
                case 2 when held.Count > 0:
                    int full = held[choice % held.Count]; // a block holds one content for as long as it is held; another may hold the same
                    blocks.Publish(full, Content(full % 5), (ModelSet)(1 + (choice % 3)));
                    break;
                case 3 when blocks.Find(Content(choice % 5)) is { } found:
                    blocks.Share(found.Block);
                    held.Add(found.Block);
                    break;
            }

            if (blocks.UsedBlocks != held.Distinct().Count()
                || Enumerable.Range(0, size).Any(block => blocks.Holders(block) != held.Count(other => other == block))
                || blocks.RememberedBlocks > blocks.FreeBlocks)
            {
                return false;
            }
        }

        held.ForEach(blocks.Release);
        var all = new List<int>();
        return blocks.UsedBlocks == 0 && blocks.TryAllocate(size, all) && all.Distinct().Count() == size;
    });

    private static BlockContent Content(int text) => new(0, (0, 0), [text, text + 1]);
}

using DeRa.Kernels;

namespace DeRa.Models.Tests;

/// <summary>Packing of sequences into one step.</summary>
[TestFixtureSource(typeof(TestDevice), nameof(TestDevice.Names))]
internal sealed class ForwardBatchTests(string deviceName) : DeviceTests(deviceName)
{
    [Test]
    public void Chunks_are_packed_without_padding()
    {
        using var batch = new ForwardBatch(Device.Kernels);
        batch.Add([7, 8, 9], 15, [5, 2], 40, 2);
        batch.Add([4], 0, [3, 6, 1], 1, 1);
        batch.Add([1, 2], 31, [9, 0, 8], 33, 0);
        DeviceBatch step = batch.Upload();

        Assert.That(Read(step.TokenIds), Is.EqualTo(new[] { 7, 8, 9, 4, 1, 2 }));
        Assert.That(Read(step.Positions), Is.EqualTo(new[] { 15, 16, 17, 0, 31, 32 }));
        Assert.That(Read(step.SlotMapping), Is.EqualTo(new[] { (5 * 16) + 15, 2 * 16, (2 * 16) + 1, 3 * 16, 15, 8 * 16 }));
        Assert.That(Read(step.SequenceIndex), Is.EqualTo(new[] { 0, 0, 0, 1, 2, 2 }));
        Assert.That(Read(step.QueryStarts), Is.EqualTo(new[] { 0, 3, 4, 6 }));
        Assert.That(step.MaxContext, Is.EqualTo(33));
        Assert.That(step.MaxBlocks, Is.EqualTo(3));
        Assert.That(Read(step.BlockTables), Is.EqualTo(new[] { 5, 2, 0, 3, 0, 0, 9, 0, 8 }));
        Assert.That(Read(batch.OutputVector), Is.EqualTo(new[] { 1, 2, 3 }));
        Assert.That((step.TokenCount, step.SequenceCount, batch.OutputCount), Is.EqualTo((6, 3, 3)));
    }

    [Test]
    public void Hidden_states_can_be_asked_for_in_any_order_and_more_than_once()
    {
        using var batch = new ForwardBatch(Device.Kernels);
        batch.Add([7, 8, 9], 0, [5], 3, 3);
        Assert.That(batch.OutputsAreTokens, Is.True);
        batch.SelectOutputs([2, 0, 2, 1]);
        Assert.That(batch.OutputsAreTokens, Is.False);
        batch.Upload();
        Assert.That(Read(batch.OutputVector), Is.EqualTo(new[] { 2, 0, 2, 1 }));
        batch.SelectOutputs([1, 0, 2]);
        Assert.That(batch.OutputsAreTokens, Is.False, "as many as tokens, in another order");
        Assert.That(() => batch.SelectOutputs([3]), Throws.InstanceOf<ArgumentException>());
        Assert.That(() => batch.Device, Throws.InvalidOperationException, "what was uploaded asks for something else");
    }

    [Test]
    public void A_warm_batch_keeps_its_memory()
    {
        using var batch = new ForwardBatch(Device.Kernels);
        batch.Add([1, 2, 3], 0, [0], 3, 1);
        DeviceBuffer buffer = batch.Upload().TokenIds.Buffer;
        batch.Clear();
        Assert.That(() => batch.Device, Throws.InvalidOperationException);
        batch.Add([6], 3, [0], 4, 1);
        Assert.That(batch.Upload().TokenIds.Buffer, Is.SameAs(buffer));
        Assert.That(Read(batch.Device.TokenIds), Is.EqualTo(new[] { 6 }));

        // And grows when it has to.
        int[] many = [.. Enumerable.Range(0, 5000)];
        batch.Add(many, 0, [.. Enumerable.Range(1, 313)], 5000, 1);
        Assert.That(Read(batch.Upload().TokenIds), Is.EqualTo(new[] { 6 }.Concat(many)));
    }

    [Test]
    public void Bad_chunks_are_refused()
    {
        using var batch = new ForwardBatch(Device.Kernels);
        Assert.That(() => batch.Upload(), Throws.InvalidOperationException);
        Assert.That(() => batch.Add([], 0, [0], 1, 0), Throws.InstanceOf<ArgumentException>());
        Assert.That(() => batch.Add([1], -1, [0], 1, 0), Throws.InstanceOf<ArgumentException>());
        Assert.That(() => batch.Add([-1], 0, [0], 1, 0), Throws.InstanceOf<ArgumentException>());
        Assert.That(() => batch.Add([1], 0, [0], 1, 2), Throws.InstanceOf<ArgumentException>());
        Assert.That(() => batch.Add([1, 2], 0, [0], 1, 0), Throws.InstanceOf<ArgumentException>());
        Assert.That(() => batch.Add([1], 16, [0], 17, 0), Throws.ArgumentException.With.Message.Contain("2 blocks"));
        Assert.That(batch.TokenCount, Is.Zero);
    }

    private int[] Read(IntVector vector)
    {
        var values = new int[vector.Length];
        Device.Kernels.Read<int>(vector.Buffer, 4 * vector.Offset, values);
        return values;
    }
}

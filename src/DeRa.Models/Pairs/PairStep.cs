using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>What follows the forward passes of a step on the device of the head.</summary>
/// <param name="Shape">Stands for it as <see cref="KernelSet.EnqueueRepeatable"/> says; null where it is not to be repeated.</param>
/// <param name="Enqueue">Enqueues it and does nothing else.</param>
public sealed record PairHead(object? Shape, Action Enqueue);

/// <summary>What one device computes of a step in one go: forward passes, then perhaps the head.</summary>
internal static class PairStep
{
    // Judging drafts takes a few tokens of each sequence; a prompt's chunk, which takes more, rarely has the shape of another.
    private const int MostTokensPerSequence = 4;

    /// <summary>Uploads what the passes read beside their batches, then enqueues everything; as one that the device may repeat where sequences go on.</summary>
    /// <param name="kernels">The device.</param>
    /// <param name="first">A model with its uploaded batch, or without one.</param>
    /// <param name="second">Another, run after the first.</param>
    /// <param name="head">What follows, or null.</param>
    public static void Enqueue(
        KernelSet kernels, (ModelState State, ForwardBatch? Batch) first, (ModelState State, ForwardBatch? Batch) second, PairHead? head)
    {
        ModelPass? firstPass = first.Batch is null ? null : first.State.Prepare(first.Batch);
        ModelPass? secondPass = second.Batch is null ? null : second.State.Prepare(second.Batch);
        if (GoesOn(firstPass) && GoesOn(secondPass) && (head is null || head.Shape is not null))
        {
            kernels.EnqueueRepeatable(new Shape(firstPass, secondPass, head?.Shape), Everything);
        }
        else
        {
            Everything();
        }

        void Everything()
        {
            if (firstPass is not null) first.State.Enqueue(first.Batch!, firstPass);
            if (secondPass is not null) second.State.Enqueue(second.Batch!, secondPass);
            head?.Enqueue();
        }
    }

    private static bool GoesOn(ModelPass? pass) => pass is null || pass.Batch.TokenCount <= MostTokensPerSequence * pass.Batch.SequenceCount;

    private sealed record Shape(ModelPass? First, ModelPass? Second, object? Head);
}

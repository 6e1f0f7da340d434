using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models.Tests;

/// <summary>Memory by formula.</summary>
public sealed class MemoryEstimateTests
{
    [Test]
    public void Follows_the_shapes_of_both_models()
    {
        // hidden 40, inner 77, 4 heads and 2 key-value heads of 10, 3 layers, vocabulary 123, float32.
        using var folder = new TinyCheckpoint(Variants.Llama(""" "rope_theta": 10000.0 """));
        using Checkpoint reference = Checkpoint.Open(folder.Path), aligned = Checkpoint.Open(folder.Path);
        const long Layer = (2 * 40) + (40 * 40 * 2) + (20 * 40 * 2) + (3 * 77 * 40);
        const long Weights = 4 * ((3 * Layer) + (2 * 123 * 40) + 40);
        const long Token = 3 * 2 * 2 * 10 * 4;

        MemoryEstimate one = MemoryEstimate.Of(reference);
        Assert.That((one.WeightBytes, one.BytesPerToken, one.BytesPerBlock), Is.EqualTo((Weights, Token, 16 * Token)));

        // Per token of a step: residual, normed, branch, qkv, attended, gate and up, intermediate.
        const long Step = 4 * ((3 * 40) + (8 * 10) + 40 + (3 * 77));
        Assert.That(one.StepBytes(new StepCapacity(5, 2, 7)), Is.EqualTo((5 * Step) + (2 * 4 * 40) + (7 * 16 * Token)));

        Assert.That(MemoryEstimate.Of(reference, aligned).WeightBytes, Is.EqualTo(2 * Weights));
        MemoryEstimate shared = MemoryEstimate.Of(reference, aligned, SharedTensors.Find(reference.Weights, aligned.Weights));
        Assert.That((shared.WeightBytes, shared.BytesPerToken), Is.EqualTo((Weights, 2 * Token)));
        Assert.That(MemoryEstimate.Of(reference, aligned, null, DType.BF16).WeightBytes, Is.EqualTo(Weights));
    }
}

using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>Memory that a pair (or one model) takes on a device, by formula: nothing has to be loaded for it.</summary>
/// <param name="Reference">The reference model.</param>
/// <param name="Aligned">The aligned model; null for one model alone.</param>
/// <param name="WeightBytes">Bytes of weights, tensors that both models hold counted once.</param>
public sealed record MemoryEstimate(ModelConfig Reference, ModelConfig? Aligned, long WeightBytes)
{
    /// <summary>Bytes of one cache block of both models: see <see cref="KvCache.BytesPerBlock"/>.</summary>
    public long BytesPerBlock => Configs.Select((config, i) => KvCache.BytesPerBlock(config, CacheTypes[i])).Sum();

    /// <summary>Element types of the two caches; float32 unless the device is known to store others.</summary>
    public IReadOnlyList<DType> CacheTypes { get; init; } = [DType.F32, DType.F32];

    /// <summary>Bytes of cache per token of context, both models: Σ layers · 2 · kvHeads · headDim · bytes of an element.</summary>
    public long BytesPerToken => BytesPerBlock / KvCache.BlockSize;

    private IReadOnlyList<ModelConfig> Configs => Aligned is null ? [Reference] : [Reference, Aligned];

    /// <summary>The estimate of opened checkpoints.</summary>
    /// <param name="reference">The reference model.</param>
    /// <param name="aligned">The aligned model, or null.</param>
    /// <param name="shared">Tensors that both hold, or null to leave sharing out.</param>
    /// <param name="weightType">Element type to store weights in; null keeps the checkpoint's.</param>
    public static MemoryEstimate Of(Checkpoint reference, Checkpoint? aligned = null, SharedTensors? shared = null, DType? weightType = null)
    {
        ArgumentNullException.ThrowIfNull(reference);
        IEnumerable<CheckpointTensor> tensors = reference.Weights.All();
        if (aligned is not null) tensors = tensors.Concat(aligned.Weights.All().Where(tensor => shared?.StoredAs(tensor) is null));
        long bytes = tensors.Sum(tensor => tensor.ElementCount * (weightType ?? tensor.DType).Size());
        return new MemoryEstimate(reference.Config, aligned?.Config, bytes);
    }

    /// <summary>Bytes of caches, activations and final hidden states at a capacity.</summary>
    public long StepBytes(StepCapacity capacity) =>
        (capacity.CacheBlocks * BytesPerBlock)
        + Workspace.Bytes(capacity.Tokens, Configs)
        + (sizeof(float) * (long)capacity.Outputs * Configs.Sum(config => config.HiddenSize));

    /// <summary>Weights, caches and activations together.</summary>
    public long TotalBytes(StepCapacity capacity) => WeightBytes + StepBytes(capacity);
}

using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>Memory that the models on one device take, by formula: nothing has to be loaded for it.</summary>
/// <param name="Models">Models whose layers and caches are there.</param>
/// <param name="WeightBytes">Bytes of weights, tensors that both models hold counted once.</param>
public sealed record MemoryEstimate(IReadOnlyList<ModelConfig> Models, long WeightBytes)
{
    /// <summary>Element types of the models' caches; float32 unless the device is known to store others.</summary>
    public IReadOnlyList<DType> CacheTypes { get; init; } = [.. Models.Select(_ => DType.F32)];

    /// <summary>Width of the hidden states that move here from another device; 0 where none do.</summary>
    public int ArrivingWidth { get; init; }

    /// <summary>Whether the head runs on the device.</summary>
    public bool HasHead { get; init; } = true;

    /// <summary>Bytes of one cache block of the models: see <see cref="KvCache.BytesPerBlock"/>.</summary>
    public long BytesPerBlock => Models.Select((config, i) => KvCache.BytesPerBlock(config, CacheTypes[i])).Sum();

    /// <summary>Bytes of cache per token of context: Σ layers · 2 · kvHeads · headDim · bytes of an element.</summary>
    public long BytesPerToken => BytesPerBlock / KvCache.BlockSize;

    /// <summary>The estimate of opened checkpoints on one device.</summary>
    /// <param name="reference">The reference model.</param>
    /// <param name="aligned">The aligned model, or null.</param>
    /// <param name="shared">Tensors that both hold, or null to leave sharing out.</param>
    /// <param name="weightType">Element type to store weights in; null keeps the checkpoint's.</param>
    /// <param name="kernels">The device's set, which may store more than the tensors' elements; null for one that stores them as they are.</param>
    public static MemoryEstimate Of(Checkpoint reference, Checkpoint? aligned = null, SharedTensors? shared = null, DType? weightType = null, KernelSet? kernels = null)
    {
        ArgumentNullException.ThrowIfNull(reference);
        var tensors = reference.Weights.All().Select(tensor => Stored(reference, tensor, shared));
        return aligned is null
            ? new MemoryEstimate([reference.Config], Bytes(tensors, weightType, kernels))
            : new MemoryEstimate(
                [reference.Config, aligned.Config],
                Bytes(tensors.Concat(aligned.Weights.All().Select(tensor => Stored(aligned, tensor, shared))), weightType, kernels));
    }

    /// <summary>The estimate of one model of a pair on a device of its own.</summary>
    /// <param name="model">The model that runs there.</param>
    /// <param name="other">The other model.</param>
    /// <param name="hasHead">Whether the device runs the head, and so has the other's output matrix too and receives its hidden states.</param>
    /// <param name="shared">Tensors that both hold, or null.</param>
    /// <param name="weightType">Element type to store weights in; null keeps the checkpoint's.</param>
    /// <param name="kernels">The device's set, which may store more than the tensors' elements; null for one that stores them as they are.</param>
    public static MemoryEstimate OfOneSide(Checkpoint model, Checkpoint other, bool hasHead, SharedTensors? shared = null, DType? weightType = null, KernelSet? kernels = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(other);
        var tensors = (hasHead ? model.Weights.All() : model.Weights.Layered()).Select(tensor => Stored(model, tensor, shared));
        if (hasHead)
        {
            var output = new[] { other.Weights.OutputHead, other.Weights.OutputHeadBias }.OfType<CheckpointTensor>();
            tensors = tensors.Concat(output.Select(tensor => Stored(other, tensor, shared)));
        }

        return new MemoryEstimate([model.Config], Bytes(tensors, weightType, kernels))
        {
            ArrivingWidth = hasHead ? other.Config.HiddenSize : 0,
            HasHead = hasHead,
        };
    }

    /// <summary>Bytes of activations, and of final hidden states where they are computed and where they arrive.</summary>
    public long ActivationBytes(StepCapacity capacity) =>
        Workspace.Bytes(capacity.Tokens, Models)
        + (sizeof(float) * (long)capacity.Outputs * (Models.Sum(config => config.HiddenSize) + ArrivingWidth));

    /// <summary>About the bytes that a kernel set's operations keep for themselves, see <see cref="KernelSet.ScratchEstimate"/>.</summary>
    public long ScratchBytes(KernelSet kernels, StepCapacity capacity)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        if (capacity.Tokens == 0) return 0;
        int rows = Math.Max(1, capacity.Outputs - capacity.Tokens); // an engine has outputs for every token to score, and beside them those that draw
        return kernels.ScratchEstimate(new StepScratch(
            capacity.Tokens,
            HasHead ? rows : 0,
            Models.Min(config => config.VocabSize),
            [
                .. Models.SelectMany(config => new[]
                {
                    ((config.NumHeads + (2 * config.NumKvHeads)) * config.HeadDim, config.HiddenSize),
                    (config.HiddenSize, config.NumHeads * config.HeadDim),
                    (2 * config.IntermediateSize, config.HiddenSize),
                    (config.HiddenSize, config.IntermediateSize),
                }),
            ]));
    }

    /// <summary>Bytes of caches, activations and final hidden states at a capacity.</summary>
    public long StepBytes(StepCapacity capacity) => (capacity.CacheBlocks * BytesPerBlock) + ActivationBytes(capacity);

    /// <summary>Weights, caches and activations together.</summary>
    public long TotalBytes(StepCapacity capacity) => WeightBytes + StepBytes(capacity);

    // The tensor that stands for it, and whether it is stored input-major: both are where bytes and family are the same.
    private static (CheckpointTensor Tensor, bool InputMajor) Stored(Checkpoint model, CheckpointTensor tensor, SharedTensors? shared) =>
        (shared?.StoredAs(tensor) ?? tensor, model.Weights.IsInputMajor(tensor));

    private static long Bytes(IEnumerable<(CheckpointTensor Tensor, bool InputMajor)> tensors, DType? weightType, KernelSet? kernels) => tensors
        .DistinctBy(stored => stored.Tensor)
        .Sum(stored => WeightStore.StoredBytes(kernels, stored.Tensor, weightType ?? stored.Tensor.DType, stored.InputMajor));
}

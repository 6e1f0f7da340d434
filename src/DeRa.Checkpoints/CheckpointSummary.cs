using DeRa.Kernels;

namespace DeRa.Checkpoints;

/// <summary>Sizes of a checkpoint's weights, counting a tied output matrix once and leaving out what the model does not use.</summary>
public sealed record CheckpointSummary
{
    /// <summary>Number of parameters.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Bytes of weights.</summary>
    public required long ByteLength { get; init; }

    /// <summary>Bytes of weights by element type; types that do not occur are left out.</summary>
    public required IReadOnlyDictionary<DType, long> BytesByDType { get; init; }

    /// <summary>Number of distinct weight tensors.</summary>
    public required int TensorCount { get; init; }

    /// <summary>Whether the output matrix is the embedding.</summary>
    public required bool IsTied { get; init; }

    internal static CheckpointSummary Of(TransformerWeights weights)
    {
        CheckpointTensor[] tensors = [.. weights.All()];
        return new CheckpointSummary
        {
            ParameterCount = tensors.Sum(static t => t.ElementCount),
            ByteLength = tensors.Sum(static t => t.ByteLength),
            BytesByDType = tensors.GroupBy(static t => t.DType).ToDictionary(static g => g.Key, static g => g.Sum(static t => t.ByteLength)),
            TensorCount = tensors.Length,
            IsTied = ReferenceEquals(weights.Embedding, weights.OutputHead),
        };
    }
}

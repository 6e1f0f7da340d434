namespace DeRa.Checkpoints;

/// <summary>
/// The weights of a model under the engine's names, whatever the checkpoint calls them. Linear weights are [out, in], except
/// where <see cref="LinearWeightsAreInputMajor"/> says [in, out]; the embedding and the output matrix are always [vocab, hidden].
/// </summary>
public sealed record TransformerWeights
{
    /// <summary>Token embedding, [vocab, hidden].</summary>
    public required CheckpointTensor Embedding { get; init; }

    /// <summary>Learned positions, [maxPositions, hidden] (GPT-2).</summary>
    public CheckpointTensor? PositionEmbedding { get; init; }

    /// <summary>The layers, first to last.</summary>
    public required IReadOnlyList<LayerWeights> Layers { get; init; }

    /// <summary>Final norm, [hidden].</summary>
    public required CheckpointTensor FinalNorm { get; init; }

    /// <summary>Final norm's bias, [hidden] (LayerNorm families).</summary>
    public CheckpointTensor? FinalNormBias { get; init; }

    /// <summary>Output matrix, [vocab, hidden]; the same object as <see cref="Embedding"/> where tied.</summary>
    public required CheckpointTensor OutputHead { get; init; }

    /// <summary>Output bias, [vocab]; no supported family has one today.</summary>
    public CheckpointTensor? OutputHeadBias { get; init; }

    /// <summary>Whether the layers' linear weights are stored [in, out] (GPT-2's Conv1D).</summary>
    public bool LinearWeightsAreInputMajor { get; init; }

    /// <summary>Whether a tensor is stored [in, out].</summary>
    public bool IsInputMajor(CheckpointTensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return LinearWeightsAreInputMajor && tensor.Shape.Count == 2 && tensor != Embedding && tensor != PositionEmbedding && tensor != OutputHead;
    }

    /// <summary>Every distinct tensor, the tied output matrix once.</summary>
    public IEnumerable<CheckpointTensor> All() => Layered().Concat(new[] { OutputHead, OutputHeadBias }.OfType<CheckpointTensor>()).Distinct();

    /// <summary>Every distinct tensor that hidden states are computed from: all but the output matrix and its bias, which the embedding may be.</summary>
    public IEnumerable<CheckpointTensor> Layered()
    {
        CheckpointTensor?[] outer = [Embedding, PositionEmbedding, FinalNorm, FinalNormBias];
        return outer.Concat(Layers.SelectMany(static layer => layer.All())).OfType<CheckpointTensor>().Distinct();
    }
}

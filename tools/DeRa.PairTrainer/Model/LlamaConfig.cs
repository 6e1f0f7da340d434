namespace DeRa.PairTrainer.Model;

/// <summary>Sizes of a Llama-architecture model, named as in a Hugging Face config.json.</summary>
/// <param name="VocabSize">Rows of the embedding and of the output matrix.</param>
/// <param name="HiddenSize">Width of the residual stream; must be NumHeads · HeadDim.</param>
/// <param name="IntermediateSize">Width of the gated MLP.</param>
/// <param name="NumLayers">Transformer blocks.</param>
/// <param name="NumHeads">Query heads.</param>
/// <param name="NumKvHeads">Key and value heads; divides NumHeads.</param>
/// <param name="MaxPositions">Longest sequence.</param>
internal sealed record LlamaConfig(
    int VocabSize, int HiddenSize, int IntermediateSize, int NumLayers, int NumHeads, int NumKvHeads, int MaxPositions)
{
    /// <summary>Base of the rotary frequencies.</summary>
    public const double RopeTheta = 10000;

    /// <summary>Added to the mean square before the root.</summary>
    public const double RmsNormEps = 1e-5;

    /// <summary>Width of one head, even.</summary>
    public int HeadDim => HiddenSize / NumHeads;

    /// <summary>Width of all key heads together.</summary>
    public int KvSize => NumKvHeads * HeadDim;
}

using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>What an architecture file composes a layer from: the layer's weights, put on the device as they are asked for.</summary>
internal sealed class LayerParts(ModelConfig config, TransformerWeights model, int layer, WeightStore store)
{
    private readonly LayerWeights weights = model.Layers[layer];

    /// <summary>The model's configuration.</summary>
    public ModelConfig Config => config;

    /// <summary>The layer's tensors.</summary>
    public LayerWeights Weights => weights;

    /// <summary>A root-mean-square norm.</summary>
    public RmsNorm RmsNorm(CheckpointTensor? gain) => new(Vector(gain), config.NormEpsilon, config.UnitOffsetNorm);

    /// <summary>A layer norm.</summary>
    public LayerNorm LayerNorm(CheckpointTensor? gain, CheckpointTensor? bias) =>
        new(Vector(gain), bias is null ? null : store.Vector(bias), config.NormEpsilon);

    /// <summary>A projection.</summary>
    public Projection Projection(CheckpointTensor? weight, CheckpointTensor? bias) =>
        new(store.Matrix(Required(weight), model.LinearWeightsAreInputMajor), bias is null ? null : store.Vector(bias));

    /// <summary>Attention with its own q, k and v projections.</summary>
    public Attention SeparateAttention(HeadNorm? headNorm = null) => Attention(
        [
            Projection(weights.QProj, weights.QBias),
            Projection(weights.KProj, weights.KBias),
            Projection(weights.VProj, weights.VBias),
        ],
        QkvLayout.Stacked(config.NumHeads, config.NumKvHeads, config.HeadDim),
        headNorm);

    /// <summary>Attention with one projection for q, k and v, laid out as <paramref name="layout"/> says.</summary>
    public Attention FusedAttention(QkvLayout layout) => Attention([Projection(weights.QkvProj, weights.QkvBias)], layout, null);

    /// <summary>The norm of query and key heads.</summary>
    public HeadNorm HeadNorm() => new(Vector(weights.QNorm), Vector(weights.KNorm), config.NormEpsilon);

    /// <summary>A gated MLP with its own gate and up projections.</summary>
    public GatedMlp SeparateGatedMlp() => new(
        Projection(weights.GateProj, weights.GateBias),
        Projection(weights.UpProj, weights.UpBias),
        Projection(weights.DownProj, weights.DownBias),
        config.Activation);

    /// <summary>A gated MLP with one matrix for gate and up: its first half of rows, and its second.</summary>
    public GatedMlp FusedGatedMlp()
    {
        Weight both = Projection(weights.GateUpProj, null).Weight; // [2 · intermediate, hidden]
        int intermediate = config.IntermediateSize;
        return new GatedMlp(
            new Projection(both.SliceRows(0, intermediate), null),
            new Projection(both.SliceRows(intermediate, intermediate), null),
            Projection(weights.DownProj, weights.DownBias),
            config.Activation);
    }

    /// <summary>An MLP without a gate.</summary>
    public PlainMlp PlainMlp() => new(
        Projection(weights.UpProj, weights.UpBias), Projection(weights.DownProj, weights.DownBias), config.Activation);

    private Attention Attention(IReadOnlyList<Projection> inputs, QkvLayout layout, HeadNorm? headNorm) => new(
        layer,
        inputs,
        Projection(weights.OProj, weights.OBias),
        layout,
        headNorm,
        new AttentionOptions(config.AttentionScales[layer], config.SlidingWindows[layer], config.AttentionSoftCap));

    private Weight Vector(CheckpointTensor? tensor) => store.Vector(Required(tensor));

    // The weight map of the architecture has checked presence and shapes: a missing tensor here is a fault of the map.
    private CheckpointTensor Required(CheckpointTensor? tensor) =>
        tensor ?? throw new InvalidOperationException($"the weight map of {config.Architecture} left out a tensor of layer {layer}");
}

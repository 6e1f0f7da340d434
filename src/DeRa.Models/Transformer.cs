using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// A decoder-only transformer on a device: embed → layers → final norm. One file per architecture (Architectures/) says what its layer is made of;
/// this class is what they share. It never sees sequences, only packed batches, and knows the op contract only.
/// </summary>
public abstract class Transformer : IDisposable
{
    private readonly KernelSet ops, headOps;
    private readonly Weight embedding;          // [vocab, hidden]
    private readonly Weight? positionEmbedding; // [positions, hidden]
    private readonly Block[] layers;
    private readonly Norm finalNorm;
    private readonly Weight outputHead;         // [vocab, hidden]
    private readonly Weight? outputHeadBias;    // [1, vocab]

    private protected Transformer(Checkpoint checkpoint, PlacedWeights placed, Func<LayerParts, Block> layer)
    {
        WeightStore store = placed.Layers;
        Config = checkpoint.Config;
        Rotary = placed.Rotary;
        (ops, headOps) = (store.Kernels, placed.Head.Kernels);
        TransformerWeights weights = checkpoint.Weights;
        embedding = store.Matrix(weights.Embedding);
        positionEmbedding = weights.PositionEmbedding is { } positions ? store.Matrix(positions) : null;
        layers = [.. Enumerable.Range(0, Config.NumLayers).Select(i => layer(new LayerParts(Config, weights, i, store)))];
        finalNorm = weights.FinalNormBias is { } bias
            ? new LayerNorm(store.Vector(weights.FinalNorm), store.Vector(bias), Config.NormEpsilon)
            : new RmsNorm(store.Vector(weights.FinalNorm), Config.NormEpsilon, Config.UnitOffsetNorm);
        outputHead = placed.Head.Matrix(weights.OutputHead);
        outputHeadBias = weights.OutputHeadBias is { } headBias ? placed.Head.Vector(headBias) : null;
    }

    /// <summary>What the model computes.</summary>
    public ModelConfig Config { get; }

    /// <summary>Rotation tables; null with learned positions. Two models that rotate alike may share one.</summary>
    public RotaryEmbedding? Rotary { get; }

    /// <summary>Positions the model has at all: the number of learned ones (GPT-2); null where rotations reach any position.</summary>
    public int? MaxPositions => positionEmbedding?.Rows;

    /// <summary>Element type of the model's cache on its device.</summary>
    public DType CacheType => ops.CacheType(Config.HeadDim, embedding.DType);

    /// <summary>Builds the model of a checkpoint; its weights go into (or are found in) <paramref name="store"/>.</summary>
    /// <param name="checkpoint">Stays open as long as the model is used.</param>
    /// <param name="store">Where the weights live; disposed of by its owner, after the model.</param>
    /// <param name="rotary">Rotation tables to share, used when they are of the same configuration and device.</param>
    /// <param name="head">Where the output matrix lives: on the device that runs the head; null is <paramref name="store"/>.</param>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public static Transformer Load(Checkpoint checkpoint, WeightStore store, RotaryEmbedding? rotary = null, WeightStore? head = null)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentNullException.ThrowIfNull(store);
        RopeConfig? rope = checkpoint.Config.Rope;
        RotaryEmbedding? tables = rope is null ? null
            : rope == rotary?.Config && rotary.Kernels == store.Kernels ? rotary
            : new RotaryEmbedding(store.Kernels, rope);
        var placed = new PlacedWeights(store, head ?? store, tables);
        return checkpoint.Config.Architecture switch
        {
            Architecture.Llama => new Llama(checkpoint, placed),
            Architecture.Mistral => new Mistral(checkpoint, placed),
            Architecture.Qwen2 => new Qwen2(checkpoint, placed),
            Architecture.Qwen3 => new Qwen3(checkpoint, placed),
            Architecture.GptNeoX => new GptNeoX(checkpoint, placed),
            Architecture.Gpt2 => new Gpt2(checkpoint, placed),
            Architecture.Phi3 => new Phi3(checkpoint, placed),
            Architecture.Gemma => new Gemma(checkpoint, placed),
            Architecture.Gemma2 => new Gemma2(checkpoint, placed),
            _ => throw new InvalidOperationException($"no forward pass for {checkpoint.Config.Architecture}"),
        };
    }

    /// <summary>
    /// A number that changes exactly when the rotations of a sequence do as it grows (dynamic NTK, LongRoPE): keys cached under another regime are
    /// stale, and the sequence has to be prefilled again to match a full recompute.
    /// </summary>
    public int RopeRegime(int sequenceLength) => Rotary?.Regime(sequenceLength) ?? 0;

    /// <summary>Checks an uploaded batch and uploads its rotations. Before anything of the step is enqueued.</summary>
    /// <returns>The rotations; null with learned positions.</returns>
    /// <exception cref="ModelInputException">A token or a position that the model does not have.</exception>
    public RopeTable? Prepare(ForwardBatch batch)
    {
        Check(batch);
        return Rotary?.Upload(batch);
    }

    /// <summary>Requires tokens and positions that the model has.</summary>
    internal void Check(ForwardBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.MaxTokenId >= embedding.Rows)
            throw new ModelInputException($"token {batch.MaxTokenId}: the model ({Config.ModelType}) has {embedding.Rows} embeddings");
        if (MaxPositions is int limit && batch.MaxContext > limit)
        {
            throw new ModelInputException(
                $"position {batch.MaxContext - 1}: the model ({Config.ModelType}) has {limit} learned positions, 0 to {limit - 1}");
        }
    }

    /// <summary>Enqueues a forward pass: keys and values go to the cache, hidden states of the asked-for tokens to <paramref name="output"/>.</summary>
    /// <param name="batch">An uploaded batch.</param>
    /// <param name="rope">What <see cref="Prepare"/> returned for it.</param>
    /// <param name="cache">This model's pools.</param>
    /// <param name="workspace">Activations for at least the batch's tokens.</param>
    /// <param name="output">[outputs, hidden] after the final norm; untouched when the batch asks for none.</param>
    public void Forward(ForwardBatch batch, RopeTable? rope, KvCache cache, Workspace workspace, Matrix output)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(cache);
        ArgumentNullException.ThrowIfNull(workspace);
        (DeviceBatch tokens, IntVector outputRows) = batch.On(ops);
        Activations activations = workspace.For(Config, tokens.TokenCount);
        var step = new Step(ops, tokens, rope, cache, activations);

        Matrix x = activations.Residual; // [tokens, hidden]
        ops.Embed(
            tokens.TokenIds, embedding, Config.EmbeddingScale, positionEmbedding is null ? null : tokens.Positions, positionEmbedding, x);

        foreach (Block layer in layers) layer.Enqueue(step, x);

        if (batch.OutputCount == 0) return;
        if (batch.OutputsAreTokens) finalNorm.Enqueue(ops, x, output);
        else finalNorm.Enqueue(ops, x, outputRows, output);
    }

    /// <summary>The model's side of the head over final hidden states.</summary>
    /// <param name="hidden">[rows, hidden] after the final norm, on the device that has the output matrix.</param>
    public HeadModel Head(Matrix hidden) => new(hidden, outputHead, outputHeadBias, Config.LogitSoftCap);

    /// <summary>Enqueues the full logits of final hidden states: softCap(hidden · outputᵀ + bias).</summary>
    /// <param name="hidden">[rows, hidden] after the final norm, on the device that has the output matrix.</param>
    /// <param name="logits">[rows, vocab], there too.</param>
    public void EnqueueLogits(Matrix hidden, Matrix logits)
    {
        headOps.Linear(hidden, outputHead, outputHeadBias, logits);
        if (Config.LogitSoftCap is float cap) headOps.SoftCap(logits, cap);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        Rotary?.Dispose();
        GC.SuppressFinalize(this);
    }
}

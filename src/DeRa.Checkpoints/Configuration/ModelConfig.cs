using DeRa.Checkpoints.Configuration;
using DeRa.Kernels;

namespace DeRa.Checkpoints;

/// <summary>
/// What a model computes, normalised from config.json and generation_config.json: immutable, validated, the same record for
/// the schema of transformers 4 and 5. Compared by value.
/// </summary>
public sealed record ModelConfig
{
    /// <summary>The family.</summary>
    public required Architecture Architecture { get; init; }

    /// <summary><c>model_type</c> as written.</summary>
    public required string ModelType { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width inside the MLP.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of layers.</summary>
    public required int NumLayers { get; init; }

    /// <summary>Query heads.</summary>
    public required int NumHeads { get; init; }

    /// <summary>Key/value heads; divides <see cref="NumHeads"/>.</summary>
    public required int NumKvHeads { get; init; }

    /// <summary>Width of a head; need not be <see cref="HiddenSize"/> / <see cref="NumHeads"/>.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Rows of the embedding, padding rows included.</summary>
    public required int VocabSize { get; init; }

    /// <summary>Longest sequence the model is made for; the number of learned positions for GPT-2.</summary>
    public required int MaxPositionEmbeddings { get; init; }

    /// <summary>Epsilon of every norm.</summary>
    public required float NormEpsilon { get; init; }

    /// <summary>The MLP's nonlinearity.</summary>
    public required ActivationKind Activation { get; init; }

    /// <summary>Whether the output matrix is the embedding.</summary>
    public required bool TieWordEmbeddings { get; init; }

    /// <summary>Rotary positions; null where positions are learned (GPT-2).</summary>
    public required RopeConfig? Rope { get; init; }

    /// <summary>Factor on q·k before softmax, one per layer.</summary>
    public required IReadOnlyList<float> AttentionScales { get; init; }

    /// <summary>
    /// Sliding window, one per layer: position i attends to j with i − window &lt; j ≤ i, so the window counts the position
    /// itself. Null attends to every j ≤ i.
    /// </summary>
    public required IReadOnlyList<int?> SlidingWindows { get; init; }

    /// <summary>c in c·tanh(s/c) on attention scores, after the scale and before the mask; null for none.</summary>
    public float? AttentionSoftCap { get; init; }

    /// <summary>c in c·tanh(z/c) on the output logits; null for none.</summary>
    public float? LogitSoftCap { get; init; }

    /// <summary>Factor on the embedding; √hidden for Gemma, else 1.</summary>
    public float EmbeddingScale { get; init; } = 1;

    /// <summary>Whether RMSNorm multiplies by weight + 1 (Gemma).</summary>
    public bool UnitOffsetNorm { get; init; }

    /// <summary>Whether attention and MLP read the same residual and are added together (GPT-NeoX).</summary>
    public bool ParallelResidual { get; init; }

    /// <summary>Whether the query, key and value projections have biases.</summary>
    public bool QkvBias { get; init; }

    /// <summary>Whether attention's output projection has a bias.</summary>
    public bool OutputProjectionBias { get; init; }

    /// <summary>Whether the MLP's projections have biases.</summary>
    public bool MlpBias { get; init; }

    /// <summary>Tokens that end a sequence; generation_config.json wins over config.json. May be empty.</summary>
    public required IReadOnlyList<int> EosIds { get; init; }

    /// <summary>Token that begins a sequence.</summary>
    public int? BosId { get; init; }

    /// <summary>Token that fills batches.</summary>
    public int? PadId { get; init; }

    /// <summary>Sampling values the checkpoint suggests.</summary>
    public GenerationDefaults Generation { get; init; } = new();

    /// <summary>Reads config.json and, where present, generation_config.json of a checkpoint folder.</summary>
    /// <exception cref="CheckpointException">A file is missing or malformed, or the model is not supported.</exception>
    public static ModelConfig Load(string folder) => ModelConfigReader.Load(folder, "config.json");

    /// <summary>As <see cref="Load(string)"/>, with another file in place of config.json.</summary>
    /// <exception cref="CheckpointException">A file is missing or malformed, or the model is not supported.</exception>
    public static ModelConfig Load(string folder, string configFileName) => ModelConfigReader.Load(folder, configFileName);

    /// <summary>Parses the bytes of config.json and, if given, generation_config.json.</summary>
    /// <param name="config">UTF-8 JSON.</param>
    /// <param name="generation">UTF-8 JSON, or empty where the checkpoint has none.</param>
    /// <param name="file">Name of the config for messages.</param>
    /// <exception cref="CheckpointException">Malformed, or the model is not supported.</exception>
    public static ModelConfig Parse(ReadOnlyMemory<byte> config, ReadOnlyMemory<byte> generation = default, string file = "config.json") =>
        ModelConfigReader.Parse(config, generation, file);
}

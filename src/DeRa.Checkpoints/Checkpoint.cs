using DeRa.Checkpoints.Configuration;
using DeRa.Checkpoints.Safetensors;
using DeRa.Checkpoints.WeightMaps;

namespace DeRa.Checkpoints;

/// <summary>
/// A Hugging Face checkpoint folder, opened: validated config, and weights as pointers into memory-mapped safetensors files.
/// Nothing is copied; the operating system reads pages when they are touched.
/// </summary>
public sealed class Checkpoint : IDisposable
{
    private readonly CheckpointFiles files;

    private Checkpoint(string folder, ModelConfig config, CheckpointFiles files, OutputKind output)
    {
        Folder = folder;
        Config = config;
        this.files = files;
        (Weights, UnusedTensors) = WeightMap.Map(config, files.Location, files.Tensors, output);
        Summary = CheckpointSummary.Of(Weights);
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>What the model computes.</summary>
    public ModelConfig Config { get; }

    /// <summary>The weights, valid until <see cref="Dispose"/>.</summary>
    public TransformerWeights Weights { get; }

    /// <summary>Names of stored tensors that the model has no use for, known buffers left out; sorted.</summary>
    public IReadOnlyList<string> UnusedTensors { get; }

    /// <summary>Parameter count and sizes.</summary>
    public CheckpointSummary Summary { get; }

    /// <summary>Opens a folder: config.json, then model.safetensors or the shards of model.safetensors.index.json.</summary>
    /// <exception cref="CheckpointException">Something is missing, malformed or not supported; the message says what.</exception>
    public static Checkpoint Open(string folder) => Open(folder, OutputKind.Vocabulary);

    /// <summary>
    /// Opens a folder saved by a family's ForSequenceClassification with one label, as reward models are: the output matrix of its weights is
    /// score.weight, [1, hidden].
    /// </summary>
    /// <exception cref="CheckpointException">Something is missing, malformed or not supported; the message says what.</exception>
    public static Checkpoint OpenScalar(string folder) => Open(folder, OutputKind.Scalar);

    private static Checkpoint Open(string folder, OutputKind output)
    {
        ArgumentNullException.ThrowIfNull(folder);
        if (!Directory.Exists(folder)) throw new CheckpointException(folder, "folder", "a checkpoint folder", "none");
        RefuseAdapter(folder);
        ModelConfig config = ModelConfigReader.Load(folder, "config.json", output);
        CheckpointFiles files = CheckpointFiles.Open(folder);
        try
        {
            return new Checkpoint(folder, config, files, output);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>Unmaps the files; every pointer into them becomes invalid.</summary>
    public void Dispose() => files.Dispose();

    private static void RefuseAdapter(string folder)
    {
        if (File.Exists(Path.Combine(folder, "adapter_config.json")) && !File.Exists(Path.Combine(folder, "config.json")))
        {
            throw new CheckpointException(
                folder, "adapter_config.json", "a complete model (config.json and weights)", "an adapter (LoRA); merge it into its base model first");
        }
    }
}

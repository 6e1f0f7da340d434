using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Benchmarks;

/// <summary>Bytes and operations of a model's forward pass and head, by formula from its checkpoint.</summary>
/// <remarks>
/// Counted are weights (each once per step), keys and values (each visible position once per sequence and step), and the operations of
/// projections and attention. Activations, norms and the rows of the embedding are left out: they are thousands of times smaller.
/// </remarks>
internal sealed class ModelCost
{
    private readonly ModelConfig config;
    private readonly long layerBytes, layerElements;

    private ModelCost(Checkpoint checkpoint, DType? weightType)
    {
        config = checkpoint.Config;
        foreach (CheckpointTensor tensor in checkpoint.Weights.Layers.SelectMany(layer => layer.All()))
        {
            layerBytes += tensor.ElementCount * Size(tensor);
            layerElements += tensor.Shape.Count == 2 ? tensor.ElementCount : 0;
        }

        bool inputMajor = checkpoint.Weights.LinearWeightsAreInputMajor;
        Projections =
        [
            .. checkpoint.Weights.Layers.SelectMany(layer => layer.All()).Where(tensor => tensor.Shape.Count == 2).Select(tensor =>
                new ProjectionShape((int)tensor.Shape[inputMajor ? 1 : 0], (int)tensor.Shape[inputMajor ? 0 : 1])),
        ];
        CheckpointTensor head = checkpoint.Weights.OutputHead;
        HeadWeights = new HeadCost((int)head.Shape[0], (int)head.Shape[1], Size(head));

        int Size(CheckpointTensor tensor) => (weightType ?? tensor.DType).Size();
    }

    /// <summary>The output projection.</summary>
    public HeadCost HeadWeights { get; }

    /// <summary>Every projection of the layers, in order.</summary>
    public IReadOnlyList<ProjectionShape> Projections { get; }

    /// <summary>The cost of an open checkpoint's model.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="weightType">Storage on the device; null is the checkpoint's.</param>
    public static ModelCost Of(Checkpoint checkpoint, DType? weightType) => new(checkpoint, weightType);

    /// <summary>One step of <paramref name="sequences"/> chunks of <paramref name="count"/> tokens, the first of each at position <paramref name="start"/>.</summary>
    public Work Layers(int sequences, int start, int count)
    {
        long visible = 0, read = 0; // positions, summed over layers
        for (int layer = 0; layer < config.NumLayers; layer++)
        {
            int window = config.SlidingWindows[layer] ?? int.MaxValue;
            for (int position = start; position < start + count; position++)
            {
                visible += Math.Min(position + 1, window);
            }

            read += Math.Min(start + count, (long)window + count - 1);
        }

        long keyValueBytes = 2L * config.NumKvHeads * config.HeadDim * sizeof(float) * read * sequences;
        long attention = 4L * config.NumHeads * config.HeadDim * visible * sequences; // q·k and p·v
        return new Work(layerBytes + keyValueBytes, (2 * layerElements * sequences * count) + attention);
    }
}

/// <summary>An output projection [vocab, hidden] over rows of hidden states.</summary>
/// <param name="Vocabulary">Rows of the matrix.</param>
/// <param name="HiddenSize">Its columns.</param>
/// <param name="ElementSize">Bytes of an element as stored.</param>
internal readonly record struct HeadCost(int Vocabulary, int HiddenSize, int ElementSize)
{
    /// <summary>Projecting <paramref name="rows"/> hidden states, the logits used where they are.</summary>
    public Work Project(int rows) => new((long)Vocabulary * HiddenSize * ElementSize, 2L * Vocabulary * HiddenSize * rows);

    /// <summary>Bytes of stored logits that the unfused program adds: both models' written and read, the mixture written and read.</summary>
    public static Work StoredLogits(int vocabulary, int rows, int mixtures = 1) => new((2L + (4L * mixtures)) * rows * vocabulary * sizeof(float), 0);
}

namespace DeRa.Benchmarks;

/// <summary>Dimensions of a Llama-shaped model, to measure without a checkpoint.</summary>
/// <param name="Name">What <c>--shape</c> calls it: its parameters.</param>
/// <param name="HiddenSize">Width of the residual stream.</param>
/// <param name="NumLayers">Layers.</param>
/// <param name="NumHeads">Query heads.</param>
/// <param name="NumKvHeads">Key-value heads.</param>
/// <param name="IntermediateSize">Width inside the MLP.</param>
/// <param name="VocabSize">Rows of the output matrix.</param>
/// <param name="TiedOutput">Whether the output matrix is the embedding.</param>
public sealed record ModelShape(
    string Name, int HiddenSize, int NumLayers, int NumHeads, int NumKvHeads, int IntermediateSize, int VocabSize, bool TiedOutput)
{
    /// <summary>
    /// The shapes on offer: two of the llama2.c family, TinyLlama 1.1B, Llama 3.2 3B and Llama 3 8B (each as in its config.json).
    /// </summary>
    public static IReadOnlyList<ModelShape> All { get; } =
    [
        new("15m", 288, 6, 6, 6, 768, 32_000, true),
        new("110m", 768, 12, 12, 12, 2048, 32_000, true),
        new("1.1b", 2048, 22, 32, 4, 5632, 32_000, false),
        new("3b", 3072, 28, 24, 8, 8192, 128_256, true),
        new("8b", 4096, 32, 32, 8, 14_336, 128_256, false),
    ];

    /// <summary>Width of a head.</summary>
    public int HeadDim => HiddenSize / NumHeads;

    /// <summary>Number of weights.</summary>
    public long Parameters => Tensors().Sum(tensor => tensor.Elements);

    /// <summary>Bytes of a checkpoint's weights in bfloat16.</summary>
    public long CheckpointBytes => 2 * Parameters;

    /// <summary>Every tensor under its Hugging Face name (modeling_llama.py), in file order.</summary>
    internal IEnumerable<(string Name, int[] Shape, long Elements)> Tensors()
    {
        yield return Matrix("model.embed_tokens", VocabSize, HiddenSize);
        for (int layer = 0; layer < NumLayers; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            yield return Vector(prefix + "input_layernorm");
            yield return Matrix(prefix + "self_attn.q_proj", NumHeads * HeadDim, HiddenSize);
            yield return Matrix(prefix + "self_attn.k_proj", NumKvHeads * HeadDim, HiddenSize);
            yield return Matrix(prefix + "self_attn.v_proj", NumKvHeads * HeadDim, HiddenSize);
            yield return Matrix(prefix + "self_attn.o_proj", HiddenSize, NumHeads * HeadDim);
            yield return Vector(prefix + "post_attention_layernorm");
            yield return Matrix(prefix + "mlp.gate_proj", IntermediateSize, HiddenSize);
            yield return Matrix(prefix + "mlp.up_proj", IntermediateSize, HiddenSize);
            yield return Matrix(prefix + "mlp.down_proj", HiddenSize, IntermediateSize);
        }

        yield return Vector("model.norm");
        if (!TiedOutput)
        {
            yield return Matrix("lm_head", VocabSize, HiddenSize);
        }

        (string, int[], long) Vector(string name) => (name + ".weight", [HiddenSize], HiddenSize);

        static (string, int[], long) Matrix(string name, int rows, int columns) => (name + ".weight", [rows, columns], (long)rows * columns);
    }
}

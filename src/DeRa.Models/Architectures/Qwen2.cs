using DeRa.Checkpoints;

namespace DeRa.Models;

/// <summary>Qwen2: Llama's layer with biases on q, k and v, and a sliding window from layer <c>max_window_layers</c> on where it is switched on.</summary>
/// <remarks>Paper: arXiv 2407.10671. transformers: modeling_qwen2.py.</remarks>
internal sealed class Qwen2(Checkpoint checkpoint, PlacedWeights placed)
    : Transformer(checkpoint, placed, Llama.Layer);

using DeRa.Checkpoints;

namespace DeRa.Models;

/// <summary>
/// Gemma: Llama's layer with norms that multiply by 1 + weight, embeddings scaled by √hidden and a GELU gate, all stated by the configuration.
/// </summary>
/// <remarks>Paper: arXiv 2403.08295. transformers: modeling_gemma.py.</remarks>
internal sealed class Gemma(Checkpoint checkpoint, PlacedWeights placed)
    : Transformer(checkpoint, placed, Llama.Layer);

using DeRa.Checkpoints;

namespace DeRa.Models;

/// <summary>Mistral: Llama's layer whose attention sees the last <c>sliding_window</c> positions only.</summary>
/// <remarks>Paper: arXiv 2310.06825. transformers: modeling_mistral.py.</remarks>
internal sealed class Mistral(Checkpoint checkpoint, PlacedWeights placed)
    : Transformer(checkpoint, placed, Llama.Layer);

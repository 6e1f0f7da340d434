namespace DeRa.Models;

/// <summary>Where a model's weights go.</summary>
/// <param name="Layers">Everything but the output matrix; the model runs there.</param>
/// <param name="Head">The output matrix: the same place, or the device of the other model, which runs the head for both.</param>
/// <param name="Rotary">Rotation tables on the model's device; null with learned positions.</param>
internal sealed record PlacedWeights(WeightStore Layers, WeightStore Head, RotaryEmbedding? Rotary);

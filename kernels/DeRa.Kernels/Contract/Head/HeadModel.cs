namespace DeRa.Kernels;

/// <summary>
/// One model's side of the head: logits z = softCap(hidden · outputᵀ + bias). Nothing of it is materialised by the fused operations.
/// </summary>
/// <param name="Hidden">[rows, hidden] after the final norm. The two models of a pair may have different widths.</param>
/// <param name="Output">[vocab or more, hidden] output projection; rows past the common vocabulary are padding and ignored.</param>
/// <param name="Bias">[1, vocab or more], or null.</param>
/// <param name="SoftCap">c · tanh(z / c) on the logits (Gemma 2), or null.</param>
public sealed record HeadModel(Matrix Hidden, Weight Output, Weight? Bias = null, float? SoftCap = null);

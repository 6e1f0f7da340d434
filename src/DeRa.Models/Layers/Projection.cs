using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>y = x·Wᵀ + b.</summary>
/// <param name="Weight">[out, in].</param>
/// <param name="Bias">[1, out], or null.</param>
internal readonly record struct Projection(Weight Weight, Weight? Bias)
{
    /// <summary>Enqueues the projection; adds to <paramref name="y"/> when <paramref name="accumulate"/>.</summary>
    public void Enqueue(KernelSet ops, Matrix x, Matrix y, bool accumulate = false) => ops.Linear(x, Weight, Bias, y, accumulate);
}

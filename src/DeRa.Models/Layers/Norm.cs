using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>Normalisation of every row.</summary>
internal abstract class Norm
{
    /// <summary>y = norm(x); y may be x.</summary>
    public abstract void Enqueue(KernelSet ops, Matrix x, Matrix y);

    /// <summary>y[i] = norm(x[rows[i]]).</summary>
    public abstract void Enqueue(KernelSet ops, Matrix x, IntVector rows, Matrix y);
}

/// <summary>Root-mean-square norm (arXiv 1910.07467); <paramref name="unitOffset"/>: the stored weight is the gain minus one (Gemma).</summary>
internal sealed class RmsNorm(Weight gain, float epsilon, bool unitOffset) : Norm
{
    /// <inheritdoc />
    public override void Enqueue(KernelSet ops, Matrix x, Matrix y) => ops.RmsNorm(x, gain, epsilon, unitOffset, y);

    /// <inheritdoc />
    public override void Enqueue(KernelSet ops, Matrix x, IntVector rows, Matrix y) => ops.RmsNormRows(x, rows, gain, epsilon, unitOffset, y);

    /// <summary>y += norm(x).</summary>
    public void EnqueueAdd(KernelSet ops, Matrix x, Matrix y) => ops.RmsNorm(x, gain, epsilon, unitOffset, y, accumulate: true);
}

/// <summary>Layer norm (arXiv 1607.06450) with optional bias.</summary>
internal sealed class LayerNorm(Weight gain, Weight? bias, float epsilon) : Norm
{
    /// <inheritdoc />
    public override void Enqueue(KernelSet ops, Matrix x, Matrix y) => ops.LayerNorm(x, gain, bias, epsilon, y);

    /// <inheritdoc />
    public override void Enqueue(KernelSet ops, Matrix x, IntVector rows, Matrix y) => ops.LayerNormRows(x, rows, gain, bias, epsilon, y);
}

using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// Activations of a forward pass, allocated once for the largest step and shared by the models of a pair: they run one after the other, so the
/// second may overwrite the first's. Each buffer is as wide as the wider model needs.
/// </summary>
public sealed class Workspace : IDisposable
{
    private readonly DeviceBuffer?[] buffers = new DeviceBuffer?[7];

    /// <summary>Allocates activations for steps of up to <paramref name="maxTokens"/> tokens of any of the models.</summary>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public Workspace(KernelSet kernels, int maxTokens, params IReadOnlyList<ModelConfig> configs)
    {
        ArgumentNullException.ThrowIfNull(kernels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxTokens);
        MaxTokens = maxTokens;
        try
        {
            for (int i = 0; i < buffers.Length; i++)
                buffers[i] = kernels.Allocate((long)sizeof(float) * maxTokens * configs.Max(config => Widths(config)[i]));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Most tokens of a step.</summary>
    public int MaxTokens { get; }

    /// <summary>Bytes that a workspace for these models takes.</summary>
    public static long Bytes(int maxTokens, params IReadOnlyList<ModelConfig> configs) =>
        Enumerable.Range(0, 7).Sum(i => (long)sizeof(float) * maxTokens * configs.Max(config => Widths(config)[i]));

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (DeviceBuffer? buffer in buffers) buffer?.Dispose();
    }

    /// <summary>One model's view for a step of <paramref name="tokens"/> tokens.</summary>
    internal Activations For(ModelConfig config, int tokens)
    {
        if (tokens > MaxTokens) throw new ArgumentException($"tokens of a step: at most {MaxTokens}, got {tokens}");
        int[] widths = Widths(config);
        return new Activations(View(0), View(1), View(2), View(3), View(4), View(5), View(6));

        Matrix View(int i) => Matrix.Dense(buffers[i]!, tokens, widths[i]);
    }

    // In the order of Activations' fields.
    private static int[] Widths(ModelConfig config) =>
    [
        config.HiddenSize,
        config.HiddenSize,
        config.HiddenSize,
        (config.NumHeads + (2 * config.NumKvHeads)) * config.HeadDim,
        config.NumHeads * config.HeadDim,
        2 * config.IntermediateSize,
        config.IntermediateSize,
    ];
}

/// <summary>The activations of one step of one model.</summary>
/// <param name="Residual">[tokens, hidden] the residual stream.</param>
/// <param name="Normed">[tokens, hidden] what a sublayer reads.</param>
/// <param name="Branch">[tokens, hidden] a second sublayer input (parallel residual) or a sublayer's output before its own norm.</param>
/// <param name="Qkv">[tokens, (heads + 2 · kvHeads) · headDim] projections, packed.</param>
/// <param name="Attended">[tokens, heads · headDim] attention's output before its projection.</param>
/// <param name="GateUp">[tokens, 2 · intermediate] gate, then up.</param>
/// <param name="Intermediate">[tokens, intermediate] what the down projection reads.</param>
internal readonly record struct Activations(
    Matrix Residual, Matrix Normed, Matrix Branch, Matrix Qkv, Matrix Attended, Matrix GateUp, Matrix Intermediate);

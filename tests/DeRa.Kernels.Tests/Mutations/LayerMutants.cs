using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests;

/// <summary>A set with one mistake, and the operation whose checks have to notice it.</summary>
public sealed record Mutant(string Mistake, string Operation, Func<KernelSet> Create)
{
    public override string ToString() => Mistake;
}

/// <summary>The naive set with one mistake in a layer operation each.</summary>
public static class LayerMutants
{
    public static IEnumerable<Mutant> All { get; } =
    [
        new("attention window one too wide", "PagedAttention", () => new ChangedAttention(o => o with { Window = o.Window + 1 })),
        new("attention window one too narrow", "PagedAttention", () => new ChangedAttention(o => o with { Window = Math.Max(1, (o.Window ?? 9999) - 1) })),
        new("attention window ignored", "PagedAttention", () => new ChangedAttention(o => o with { Window = null })),
        new("attention soft cap ignored", "PagedAttention", () => new ChangedAttention(o => o with { SoftCap = null })),
        new("attention scale ignored", "PagedAttention", () => new ChangedAttention(o => o with { Scale = 1 })),
        new("query heads dealt round-robin to key heads", "PagedAttention", () => new RoundRobinHeads()),
        new("first layer of the cache read", "PagedAttention", () => new FirstLayerOfCache()),
        new("RMS epsilon ignored", "RmsNorm", () => new RmsWithoutEpsilon()),
        new("RMS unit offset ignored", "RmsNorm", () => new RmsWithoutUnitOffset()),
        new("layer-norm epsilon ignored", "LayerNorm", () => new LayerNormWithoutEpsilon()),
        new("layer-norm bias ignored", "LayerNorm", () => new LayerNormWithoutBias()),
        new("linear bias ignored", "Linear", () => new ChangedLinear(dropBias: true)),
        new("linear overwrites instead of adding", "Linear", () => new ChangedLinear(dropBias: false)),
        new("linear drops inputs past a multiple of 16", "Linear", () => new LinearWithoutTail()),
        new("linear leaves NaN", "Linear", () => new LinearWithNaN()),
        new("linear rounds otherwise in a batch", "Linear", () => new LinearOfOtherBitsInABatch()),
        new("exact gelu by tanh", "Activation", () => new SwappedActivation(ActivationKind.Gelu, ActivationKind.GeluTanh)),
        new("tanh gelu by erf", "Activation", () => new SwappedActivation(ActivationKind.GeluTanh, ActivationKind.Gelu)),
        new("silu for quick gelu", "GatedActivation", () => new SwappedActivation(ActivationKind.QuickGelu, ActivationKind.Silu)),
        new("relu for its square", "GatedActivation", () => new SwappedActivation(ActivationKind.Relu2, ActivationKind.Relu)),
        new("gate and up swapped in one launch", "GatedLinear", () => new SwappedGate()),
        new("rotation left out", "RopeAndStoreKv", () => new ChangedRope(dropRotation: true)),
        new("head norm left out", "RopeAndStoreKv", () => new ChangedRope(dropRotation: false)),
        new("soft cap twice as high", "SoftCap", () => new HighSoftCap()),
        new("embedding scale ignored", "Embed", () => new EmbedWithoutScale()),
        new("gather ignores the rows", "Gather", () => new GatherInOrder()),
    ];

    private sealed class ChangedAttention(Func<AttentionOptions, AttentionOptions> change) : NaiveKernelSet
    {
        protected override void EnqueuePagedAttention(
            Matrix qkv, QkvLayout layout, KvLayer cache, DeviceBatch batch, AttentionOptions options, Matrix output) =>
            base.EnqueuePagedAttention(qkv, layout, cache, batch, change(options), output);
    }

    private sealed class RoundRobinHeads : NaiveKernelSet
    {
        protected override int KvHead(int head, QkvLayout layout) => head % layout.NumKvHeads;
    }

    private sealed class FirstLayerOfCache : NaiveKernelSet
    {
        protected override void EnqueuePagedAttention(
            Matrix qkv, QkvLayout layout, KvLayer cache, DeviceBatch batch, AttentionOptions options, Matrix output) =>
            base.EnqueuePagedAttention(qkv, layout, cache with { Offset = 0 }, batch, options, output);
    }

    private sealed class RmsWithoutEpsilon : NaiveKernelSet
    {
        protected override void EnqueueRmsNorm(Matrix x, Weight gain, float epsilon, bool unitOffset, Matrix y, bool accumulate) =>
            base.EnqueueRmsNorm(x, gain, 0, unitOffset, y, accumulate);
    }

    private sealed class RmsWithoutUnitOffset : NaiveKernelSet
    {
        protected override void EnqueueRmsNorm(Matrix x, Weight gain, float epsilon, bool unitOffset, Matrix y, bool accumulate) =>
            base.EnqueueRmsNorm(x, gain, epsilon, false, y, accumulate);
    }

    private sealed class LayerNormWithoutEpsilon : NaiveKernelSet
    {
        protected override void EnqueueLayerNorm(Matrix x, Weight gain, Weight? bias, float epsilon, Matrix y) =>
            base.EnqueueLayerNorm(x, gain, bias, 0, y);
    }

    private sealed class LayerNormWithoutBias : NaiveKernelSet
    {
        protected override void EnqueueLayerNorm(Matrix x, Weight gain, Weight? bias, float epsilon, Matrix y) =>
            base.EnqueueLayerNorm(x, gain, null, epsilon, y);
    }

    private sealed class ChangedLinear(bool dropBias) : NaiveKernelSet
    {
        protected override void EnqueueLinear(Matrix x, Weight w, Weight? bias, Matrix y, bool accumulate) =>
            base.EnqueueLinear(x, w, dropBias ? null : bias, y, dropBias && accumulate);
    }

    /// <summary>Zeroes the last inputs before the product.</summary>
    private sealed class LinearWithoutTail : NaiveKernelSet
    {
        protected override void EnqueueLinear(Matrix x, Weight w, Weight? bias, Matrix y, bool accumulate)
        {
            for (int row = 0; row < x.Rows && x.Columns > 16; row++)
            {
                int whole = x.Columns / 16 * 16;
                Write<float>(x.Buffer, 4 * (x.Offset + (long)row * x.RowStride + whole), new float[x.Columns - whole]);
            }

            base.EnqueueLinear(x, w, bias, y, accumulate);
        }
    }

    // By a unit in the last place, which no tolerance notices.
    private sealed class LinearOfOtherBitsInABatch : NaiveKernelSet
    {
        protected override unsafe void EnqueueLinear(Matrix x, Weight w, Weight? bias, Matrix y, bool accumulate)
        {
            base.EnqueueLinear(x, w, bias, y, accumulate);
            if (y.Rows > 16)
            {
                Row(y, 0)[0] = MathF.BitIncrement(Row(y, 0)[0]);
            }
        }
    }

    private sealed class LinearWithNaN : NaiveKernelSet
    {
        protected override void EnqueueLinear(Matrix x, Weight w, Weight? bias, Matrix y, bool accumulate) =>
            Write<float>(y.Buffer, 4 * y.Offset, [float.NaN]);
    }

    private sealed class SwappedActivation(ActivationKind asked, ActivationKind given) : NaiveKernelSet
    {
        protected override float Activate(ActivationKind activation, float x) => base.Activate(activation == asked ? given : activation, x);
    }

    private sealed class SwappedGate : NaiveKernelSet
    {
        protected override void EnqueueGatedLinear(
            Matrix x, Weight gate, Weight? gateBias, Weight up, Weight? upBias, ActivationKind activation, Matrix gateUp, Matrix y) =>
            base.EnqueueGatedLinear(x, up, upBias, gate, gateBias, activation, gateUp, y);
    }

    private sealed class ChangedRope(bool dropRotation) : NaiveKernelSet
    {
        protected override void EnqueueRopeAndStoreKv(
            Matrix qkv, QkvLayout layout, RopeTable? rope, HeadNorm? headNorm, KvLayer cache, DeviceBatch batch) =>
            base.EnqueueRopeAndStoreKv(qkv, layout, dropRotation ? null : rope, dropRotation ? headNorm : null, cache, batch);
    }

    private sealed class HighSoftCap : NaiveKernelSet
    {
        protected override void EnqueueSoftCap(Matrix x, float cap) => base.EnqueueSoftCap(x, 2 * cap);
    }

    private sealed class EmbedWithoutScale : NaiveKernelSet
    {
        protected override void EnqueueEmbed(
            IntVector tokens, Weight table, float scale, IntVector? positions, Weight? positionTable, Matrix output) =>
            base.EnqueueEmbed(tokens, table, 1, positions, positionTable, output);
    }

    private sealed class GatherInOrder : NaiveKernelSet
    {
        protected override void EnqueueGather(Matrix x, IntVector rows, Matrix y)
        {
            for (int row = 0; row < y.Rows; row++)
            {
                var values = new float[y.Columns];
                Read<float>(x.Buffer, 4 * (x.Offset + (long)Math.Min(row, x.Rows - 1) * x.RowStride), values);
                Write<float>(y.Buffer, 4 * (y.Offset + (long)row * y.RowStride), values);
            }
        }
    }
}

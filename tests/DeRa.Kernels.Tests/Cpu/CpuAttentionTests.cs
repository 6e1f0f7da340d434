using DeRa.Kernels.Cpu;

namespace DeRa.Kernels.Tests.Cpu;

/// <summary>Long contexts on the Cpu set: chunks of positions go to single workers or not, and it never shows.</summary>
[TestFixture]
public sealed class CpuAttentionTests
{
    private const int Context = 1100, BlockSize = 16, HeadDim = 36, Heads = 6, KvHeads = 2;

    [Test]
    public void A_token_has_the_same_bits_for_any_batch_and_any_number_of_workers([Values(null, 700)] int? window)
    {
        float[]? expected = null;
        foreach (int workers in new[] { 1, 2, 3 })
        {
            foreach (int tokens in new[] { 1, 2, 40 })
            {
                float[] last = LastToken(workers, tokens, window);
                expected ??= last;
                Assert.That(last, Is.EqualTo(expected), $"{workers} workers, {tokens} tokens");
            }
        }

        Assert.That(expected, Has.All.Not.NaN.And.Some.Not.Zero);
    }

    /// <summary>The last token of a sequence, computed together with the <paramref name="tokens"/> − 1 before it.</summary>
    private static float[] LastToken(int workers, int tokens, int? window)
    {
        using var set = new CpuKernelSet(workers);
        using var tensors = new CpuTensors(set, 5);
        int blocks = (Context + BlockSize - 1) / BlockSize;
        int elements = blocks * KvHeads * BlockSize * HeadDim;
        var cache = new KvLayer(
            tensors.Buffer<float>(tensors.Normal(elements)), tensors.Buffer<float>(tensors.Normal(elements)), 0, blocks, BlockSize, KvHeads, HeadDim);
        var layout = QkvLayout.Stacked(Heads, KvHeads, HeadDim);
        Matrix all = tensors.Matrix(tensors.Normal(40 * layout.Width), layout.Width);
        Matrix qkv = all with { Offset = (40 - tokens) * layout.Width, Rows = tokens };
        int[] positions = [.. Enumerable.Range(Context - tokens, tokens)];
        var batch = new DeviceBatch(
            tensors.Ints(new int[tokens]), tensors.Ints(positions), tensors.Ints(positions), tensors.Ints(new int[tokens]),
            tensors.Ints(0, tokens), tensors.Ints([.. Enumerable.Range(0, blocks).Reverse()]), blocks, Context);
        Matrix output = tensors.Empty(tokens, Heads * HeadDim);
        set.PagedAttention(qkv, layout, cache, batch, new AttentionOptions(0.2f, window), output);
        set.Run();
        return tensors.Read(output)[^(Heads * HeadDim)..];
    }
}

using DeRa.Kernels;

namespace DeRa.Benchmarks;

/// <summary>The head alone: final hidden states to drawn tokens, over random bfloat16 output matrices of any vocabulary.</summary>
internal static class HeadWorkload
{
    /// <summary>A case per vocabulary and number of rows.</summary>
    /// <param name="kernels">The device.</param>
    /// <param name="hiddenSize">Width of the hidden states.</param>
    /// <param name="options">Vocabularies and rows.</param>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public static IEnumerable<Case> Cases(KernelSet kernels, int hiddenSize, BenchmarkOptions options)
    {
        int most = options.Rows.Max();
        using DeviceBuffer referenceHidden = Hidden(kernels, most, hiddenSize, seed: 1), alignedHidden = Hidden(kernels, most, hiddenSize, seed: 2);
        foreach (int vocabulary in options.Vocabularies)
        {
            using DeviceBuffer referenceOutput = Output(kernels, vocabulary, hiddenSize, seed: 3), alignedOutput = Output(kernels, vocabulary, hiddenSize, seed: 4);
            using var ways = new HeadWays(kernels, most, vocabulary, vocabulary, vocabulary);
            var reference = new Weight(referenceOutput, 0, DType.BF16, vocabulary, hiddenSize);
            var aligned = new Weight(alignedOutput, 0, DType.BF16, vocabulary, hiddenSize);
            var cost = new HeadCost(vocabulary, hiddenSize, DType.BF16.Size());
            foreach (int rows in options.Rows)
            {
                var r = new HeadModel(Matrix.Dense(referenceHidden, rows, hiddenSize), reference);
                var a = new HeadModel(Matrix.Dense(alignedHidden, rows, hiddenSize), aligned);
                HeadModel shared = a with { Output = reference };
                Work one = cost.Project(rows), both = one + one;
                yield return new Case(new CaseDescription("head") { Vocabulary = vocabulary, Rows = rows }, rows,
                [
                    new Variant(Mode.Single, () => { ways.Single(r); ways.Finish(rows); }, one),
                    new Variant(Mode.Naive, () => Naive(r, a), both + HeadCost.StoredLogits(vocabulary, rows), both),
                    new Variant(Mode.Fused, () => { ways.Fused(r, a); ways.Finish(rows); }, both),
                    new Variant(Mode.FusedSharedHead, () => { ways.Fused(r, shared); ways.Finish(rows); }, one),
                ]);
            }

            void Naive(HeadModel r, HeadModel a)
            {
                ways.ReferenceLogits(r);
                kernels.Run();
                ways.AlignedLogits(a);
                kernels.Run();
                ways.MixAndDraw(r, a);
            }
        }
    }

    // [rows, hidden] of standard deviation 1, as a final norm leaves them.
    private static DeviceBuffer Hidden(KernelSet kernels, int rows, int hiddenSize, int seed)
    {
        var random = new Random(seed);
        float[] values = new float[rows * hiddenSize];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = MathF.Sqrt(3) * ((2 * random.NextSingle()) - 1);
        }

        DeviceBuffer buffer = kernels.Allocate((long)sizeof(float) * values.Length);
        kernels.Write<float>(buffer, 0, values);
        return buffer;
    }

    // [vocabulary, hidden] bfloat16, uniform of standard deviation 0.02; one random block over and over.
    private static DeviceBuffer Output(KernelSet kernels, int vocabulary, int hiddenSize, int seed)
    {
        ReadOnlySpan<byte> block = RandomCheckpoint.Block(seed);
        DeviceBuffer buffer = kernels.Allocate((long)vocabulary * hiddenSize * DType.BF16.Size());
        for (long offset = 0; offset < buffer.ByteLength; offset += block.Length)
        {
            kernels.Write(buffer, offset, block[..(int)Math.Min(block.Length, buffer.ByteLength - offset)]);
        }

        return buffer;
    }
}

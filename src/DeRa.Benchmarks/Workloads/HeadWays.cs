using DeRa.Kernels;

namespace DeRa.Benchmarks;

/// <summary>
/// The ways from final hidden states to tokens, over buffers of its own. λ = 0.5, temperature 1, no cut, no adjustments, no statistics: what a plain
/// request asks for.
/// </summary>
internal sealed class HeadWays : IDisposable
{
    private const float Lambda = 0.5f;

    private readonly KernelSet kernels;
    private readonly int vocabulary;
    private readonly DeviceBuffer singleRows, mixtureRows, adjustments, results, referenceLogits, alignedLogits, mixture;
    private readonly HeadResult[] host;

    /// <summary>Allocates for up to <paramref name="maxRows"/> rows; stored logits included, as naive needs them.</summary>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public HeadWays(KernelSet kernels, int maxRows, int vocabulary, int referenceVocabulary, int alignedVocabulary)
    {
        this.kernels = kernels;
        this.vocabulary = vocabulary;
        host = new HeadResult[maxRows];
        singleRows = Rows(0);
        mixtureRows = Rows(Lambda);
        adjustments = kernels.Allocate(256);
        results = kernels.Allocate(32L * maxRows);
        referenceLogits = kernels.Allocate((long)sizeof(float) * maxRows * referenceVocabulary);
        alignedLogits = kernels.Allocate((long)sizeof(float) * maxRows * alignedVocabulary);
        mixture = kernels.Allocate((long)sizeof(float) * maxRows * vocabulary);

        DeviceBuffer Rows(float lambda)
        {
            DeviceBuffer buffer = kernels.Allocate(64L * maxRows);
            HeadRow[] rows = [.. Enumerable.Range(0, maxRows).Select(i => HeadRow.Greedy(lambda) with { Temperature = 1, Stream = (uint)i, Position = 1 })];
            kernels.Write<HeadRow>(buffer, 0, rows);
            return buffer;
        }
    }

    /// <summary>Enqueues one model's fused head.</summary>
    public void Single(HeadModel reference) =>
        kernels.RealignHead(reference, null, vocabulary, singleRows, adjustments, statistics: false, results, null);

    /// <summary>Enqueues the fused head over both models.</summary>
    public void Fused(HeadModel reference, HeadModel aligned) =>
        kernels.RealignHead(reference, aligned, vocabulary, mixtureRows, adjustments, statistics: false, results, null);

    /// <summary>Enqueues the reference's stored logits.</summary>
    public void ReferenceLogits(HeadModel head) => Logits(head, referenceLogits);

    /// <summary>Enqueues the aligned model's stored logits.</summary>
    public void AlignedLogits(HeadModel head) => Logits(head, alignedLogits);

    /// <summary>Mixes the stored logits, then draws from the mixture; each is run on its own.</summary>
    public void MixAndDraw(HeadModel reference, HeadModel aligned)
    {
        int rows = reference.Hidden.Rows;
        Matrix z = Matrix.Dense(mixture, rows, vocabulary);
        kernels.Interpolate(
            Matrix.Dense(referenceLogits, rows, reference.Output.Rows), Matrix.Dense(alignedLogits, rows, aligned.Output.Rows), mixtureRows, z);
        kernels.Run();
        kernels.SampleLogits(z, mixtureRows, adjustments, results);
        Finish(rows);
    }

    /// <summary>Mixes the stored logits and normalises the mixture, each run on its own.</summary>
    public void MixAndNormalise(HeadModel reference, HeadModel aligned)
    {
        int rows = reference.Hidden.Rows;
        Matrix z = Matrix.Dense(mixture, rows, vocabulary);
        kernels.Interpolate(
            Matrix.Dense(referenceLogits, rows, reference.Output.Rows), Matrix.Dense(alignedLogits, rows, aligned.Output.Rows), mixtureRows, z);
        kernels.Run();
        kernels.Softmax(z);
        kernels.Run();
    }

    /// <summary>Runs what is enqueued and reads the tokens back.</summary>
    public void Finish(int rows)
    {
        kernels.Run();
        kernels.Read(results, 0, host.AsSpan(0, rows));
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (DeviceBuffer buffer in (DeviceBuffer[])[singleRows, mixtureRows, adjustments, results, referenceLogits, alignedLogits, mixture])
        {
            buffer.Dispose();
        }
    }

    private void Logits(HeadModel head, DeviceBuffer target)
    {
        Matrix z = Matrix.Dense(target, head.Hidden.Rows, head.Output.Rows);
        kernels.Linear(head.Hidden, head.Output, head.Bias, z);
        if (head.SoftCap is float cap)
        {
            kernels.SoftCap(z, cap);
        }
    }
}

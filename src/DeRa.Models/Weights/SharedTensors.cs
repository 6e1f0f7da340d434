using DeRa.Checkpoints;

namespace DeRa.Models;

/// <summary>
/// Tensors of an aligned checkpoint that its reference holds byte for byte: an adapter merged into some matrices, or training with frozen
/// embeddings, leaves many of them. They are stored, and read by the kernels, once.
/// </summary>
/// <remarks>
/// Two 7B checkpoints are 28 GB, so candidates are told apart by dtype, shape and samples first: fine-tuning moves nearly every weight, and only
/// tensors that agree on all samples are compared in full.
/// </remarks>
public sealed class SharedTensors
{
    private const int SampleCount = 8;
    private const int SampleBytes = 64;

    private readonly Dictionary<CheckpointTensor, CheckpointTensor> storedAs = new(ReferenceEqualityComparer.Instance);

    private SharedTensors()
    {
    }

    /// <summary>Number of shared tensors.</summary>
    public int Count => storedAs.Count;

    /// <summary>Their bytes, counted once.</summary>
    public long Bytes { get; private set; }

    /// <summary>Finds the tensors of <paramref name="aligned"/> that <paramref name="reference"/> holds too, whatever their names.</summary>
    public static SharedTensors Find(TransformerWeights reference, TransformerWeights aligned)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(aligned);
        var shared = new SharedTensors();
        ILookup<int, CheckpointTensor> candidates = reference.All().ToLookup(Fingerprint);
        foreach (CheckpointTensor tensor in aligned.All())
        {
            CheckpointTensor? same = candidates[Fingerprint(tensor)].FirstOrDefault(tensor.ContentEquals);
            if (same is null) continue;
            shared.storedAs.Add(tensor, same);
            shared.Bytes += tensor.ByteLength;
        }

        return shared;
    }

    /// <summary>The reference's tensor with the same bytes, or null.</summary>
    public CheckpointTensor? StoredAs(CheckpointTensor tensor) => storedAs.GetValueOrDefault(tensor);

    // Dtype, shape and eight 64-byte samples from the first to the last byte.
    private static int Fingerprint(CheckpointTensor tensor)
    {
        var hash = new HashCode();
        hash.Add(tensor.DType);
        foreach (long dimension in tensor.Shape) hash.Add(dimension);
        long last = Math.Max(0, tensor.ByteLength - SampleBytes);
        for (int i = 0; i < SampleCount; i++)
        {
            long offset = last * i / (SampleCount - 1);
            hash.AddBytes(tensor.Bytes(offset, (int)Math.Min(SampleBytes, tensor.ByteLength)));
        }

        return hash.ToHashCode();
    }
}

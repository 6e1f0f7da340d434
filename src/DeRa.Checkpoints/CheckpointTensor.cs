using System.Security.Cryptography;
using DeRa.Checkpoints.Safetensors;
using DeRa.Kernels;

namespace DeRa.Checkpoints;

/// <summary>A weight: a pointer into the memory-mapped file, valid until its <see cref="Checkpoint"/> is disposed.</summary>
public sealed unsafe class CheckpointTensor
{
    private const int ChunkBytes = 1 << 30;

    private readonly SafetensorsFile file;
    private readonly SafetensorsTensor tensor;
    private readonly Lazy<string> contentHash;

    internal CheckpointTensor(SafetensorsFile file, SafetensorsTensor tensor, DType dtype)
    {
        this.file = file;
        this.tensor = tensor;
        DType = dtype;
        contentHash = new Lazy<string>(ComputeHash);
    }

    /// <summary>Name in the file.</summary>
    public string Name => tensor.Name;

    /// <summary>The file that holds it.</summary>
    public string File => file.Path;

    /// <summary>Element type.</summary>
    public DType DType { get; }

    /// <summary>Dimensions, outermost first.</summary>
    public IReadOnlyList<long> Shape => tensor.Shape;

    /// <summary>Number of elements.</summary>
    public long ElementCount => tensor.ElementCount;

    /// <summary>Number of bytes.</summary>
    public long ByteLength => tensor.ByteLength;

    /// <summary>
    /// First byte in the mapping, row-major, little-endian. The format promises no alignment: read with unaligned loads.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The checkpoint was disposed.</exception>
    public byte* Pointer => file.PointerTo(tensor);

    /// <summary>
    /// SHA-256 of dtype, shape and bytes, in hexadecimal: equal for tensors that can share one copy. Computed when first asked
    /// for, which reads the whole tensor; thread-safe.
    /// </summary>
    public string ContentHash => contentHash.Value;

    /// <summary>A span over part of the bytes (a span holds at most 2 GiB).</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Number of bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part is not inside the tensor.</exception>
    public ReadOnlySpan<byte> Bytes(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, ByteLength - length);
        return new ReadOnlySpan<byte>(Pointer + offset, length);
    }

    /// <summary>Whether dtype, shape and every byte agree; reads both tensors until the first difference.</summary>
    public bool ContentEquals(CheckpointTensor other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (DType != other.DType || !Shape.SequenceEqual(other.Shape)) return false;
        for (long offset = 0; offset < ByteLength; offset += ChunkBytes)
        {
            int length = (int)Math.Min(ChunkBytes, ByteLength - offset);
            if (!Bytes(offset, length).SequenceEqual(other.Bytes(offset, length))) return false;
        }

        return true;
    }

    /// <summary>Name, type and shape in one line.</summary>
    public override string ToString() => $"{Name} {DType} [{string.Join(", ", Shape)}]";

    private string ComputeHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(System.Text.Encoding.ASCII.GetBytes($"{DType}[{string.Join(",", Shape)}]"));
        for (long offset = 0; offset < ByteLength; offset += ChunkBytes)
            hash.AppendData(Bytes(offset, (int)Math.Min(ChunkBytes, ByteLength - offset)));
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}

using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// The weights of one or more checkpoints on a device. A tensor asked for twice (tied embeddings) is stored once, and so is one that another
/// checkpoint of the store holds byte for byte. The Cpu set wraps the mapped file, other sets get a copy, of input-major matrices a transposed one where
/// the set asks for it.
/// </summary>
/// <param name="kernels">Where the weights go.</param>
/// <param name="duplicates">Tensors that are stored as another one with the same bytes, see <see cref="SharedTensors"/>.</param>
/// <param name="weightType">Element type on the device; null keeps each tensor's own, which on the Cpu set needs no copy.</param>
public sealed unsafe class WeightStore(KernelSet kernels, SharedTensors? duplicates = null, DType? weightType = null) : IDisposable
{
    private readonly Dictionary<CheckpointTensor, DeviceBuffer> buffers = new(ReferenceEqualityComparer.Instance);
    private readonly List<WeightConversion> conversions = [];

    /// <summary>The set the weights belong to.</summary>
    public KernelSet Kernels { get; } = kernels;

    /// <summary>Bytes stored so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>A matrix, [out, in], or in the checkpoint stored as [in, out] when <paramref name="inputMajor"/>.</summary>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public Weight Matrix(CheckpointTensor tensor, bool inputMajor = false)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        int first = (int)tensor.Shape[0];
        int second = (int)tensor.Shape[1];
        if (inputMajor && Kernels.PrefersOutputMajor(StoredType(tensor), first))
            return new Weight(Buffer(tensor, transpose: true), 0, StoredType(tensor), second, first);
        return inputMajor
            ? new Weight(Buffer(tensor), 0, StoredType(tensor), second, first, InputMajor: true)
            : new Weight(Buffer(tensor), 0, StoredType(tensor), first, second);
    }

    /// <summary>A vector, [1, length].</summary>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public Weight Vector(CheckpointTensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return new Weight(Buffer(tensor), 0, StoredType(tensor), 1, (int)tensor.Shape[0]);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (DeviceBuffer buffer in buffers.Values) buffer.Dispose();
        buffers.Clear();
        foreach (WeightConversion conversion in conversions) conversion.Dispose();
        conversions.Clear();
    }

    private DType StoredType(CheckpointTensor tensor) => weightType ?? tensor.DType;

    // A matrix is asked for in one orientation only: which one follows from the architecture and the set.
    private DeviceBuffer Buffer(CheckpointTensor tensor, bool transpose = false)
    {
        CheckpointTensor stored = duplicates?.StoredAs(tensor) ?? tensor;
        if (buffers.TryGetValue(stored, out DeviceBuffer? buffer)) return buffer;
        buffer = StoredType(stored) == stored.DType ? Load((nint)stored.Pointer, stored, transpose) : Convert(stored, transpose);
        buffers.Add(stored, buffer);
        Bytes += buffer.ByteLength;
        return buffer;
    }

    private DeviceBuffer Convert(CheckpointTensor tensor, bool transpose)
    {
        var conversion = new WeightConversion(tensor, StoredType(tensor));
        DeviceBuffer buffer = Load(conversion.Address, tensor, transpose);
        if (Kernels.Device.Kind == DeviceKind.Cpu) conversions.Add(conversion); // the buffer is this very memory
        else conversion.Dispose();
        return buffer;
    }

    // From host memory that holds the tensor in its type on the device.
    private DeviceBuffer Load(nint address, CheckpointTensor tensor, bool transpose)
    {
        int size = StoredType(tensor).Size();
        if (!transpose) return Kernels.LoadWeights(address, tensor.ElementCount * size);
        using var transposed = new TransposedMatrix(address, (int)tensor.Shape[0], (int)tensor.Shape[1], size);
        return Kernels.LoadWeights(transposed.Address, tensor.ElementCount * size);
    }
}

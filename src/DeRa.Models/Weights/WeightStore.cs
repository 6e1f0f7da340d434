using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>
/// The weights of one or more checkpoints on a device. A tensor asked for twice (tied embeddings) is stored once, and so is one that another
/// checkpoint of the store holds byte for byte. The Cpu set wraps the mapped file, other sets get a copy, of input-major matrices a transposed one and
/// with zeros behind its rows where the set asks for it.
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
        Layout layout = LayoutOf(Kernels, tensor, StoredType(tensor), inputMajor);
        return new Weight(Buffer(tensor, layout), 0, StoredType(tensor), layout.Rows, layout.Columns, layout.InputMajor) { RowPadding = layout.Padding };
    }

    /// <summary>A vector, [1, length].</summary>
    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public Weight Vector(CheckpointTensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return new Weight(Buffer(tensor), 0, StoredType(tensor), 1, (int)tensor.Shape[0]);
    }

    /// <summary>Bytes that a tensor takes on a device.</summary>
    /// <param name="kernels">The device's set; null for one that stores tensors as they are.</param>
    /// <param name="tensor">The tensor.</param>
    /// <param name="type">Its element type there.</param>
    /// <param name="inputMajor">Whether it is a matrix that the checkpoint stores as [in, out].</param>
    internal static long StoredBytes(KernelSet? kernels, CheckpointTensor tensor, DType type, bool inputMajor)
    {
        if (kernels is null || tensor.Shape.Count != 2) return tensor.ElementCount * type.Size();
        Layout layout = LayoutOf(kernels, tensor, type, inputMajor);
        return (long)layout.Rows * layout.Stride * type.Size();
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
    private DeviceBuffer Buffer(CheckpointTensor tensor, Layout? layout = null)
    {
        CheckpointTensor stored = duplicates?.StoredAs(tensor) ?? tensor;
        if (buffers.TryGetValue(stored, out DeviceBuffer? buffer)) return buffer;
        buffer = StoredType(stored) == stored.DType ? Load((nint)stored.Pointer, stored, layout) : Convert(stored, layout);
        buffers.Add(stored, buffer);
        Bytes += buffer.ByteLength;
        return buffer;
    }

    private DeviceBuffer Convert(CheckpointTensor tensor, Layout? layout)
    {
        var conversion = new WeightConversion(tensor, StoredType(tensor));
        DeviceBuffer buffer = Load(conversion.Address, tensor, layout);
        if (Kernels.Device.Kind == DeviceKind.Cpu) conversions.Add(conversion); // the buffer is this very memory
        else conversion.Dispose();
        return buffer;
    }

    // From host memory that holds the tensor in its type on the device.
    private DeviceBuffer Load(nint address, CheckpointTensor tensor, Layout? layout)
    {
        int size = StoredType(tensor).Size();
        if (layout is { Transposes: true } to)
        {
            using var transposed = new TransposedMatrix(address, to.Columns, to.Rows, size, to.Stride);
            return Kernels.LoadWeights(transposed.Address, (long)to.Rows * to.Stride * size);
        }

        if (layout is { Padding: > 0 } spread)
        {
            int stride = spread.Stride * size;
            using var padded = new PaddedMatrix(address, spread.Rows, spread.Columns * size, stride);
            return Kernels.LoadWeights(padded.Address, (long)spread.Rows * stride);
        }

        return Kernels.LoadWeights(address, tensor.ElementCount * size);
    }

    private static Layout LayoutOf(KernelSet kernels, CheckpointTensor tensor, DType type, bool inputMajor)
    {
        (int first, int second) = ((int)tensor.Shape[0], (int)tensor.Shape[1]);
        bool transposes = inputMajor && kernels.PrefersOutputMajor(type, first);
        if (inputMajor && !transposes) return new Layout(second, first, true, false, 0);
        (int rows, int columns) = transposes ? (second, first) : (first, second);
        return new Layout(rows, columns, false, transposes, kernels.RowStride(type, columns) - columns);
    }

    // How a matrix lies on the device: [rows, columns + padding], or as it is where input-major.
    private readonly record struct Layout(int Rows, int Columns, bool InputMajor, bool Transposes, int Padding)
    {
        public int Stride => Columns + Padding;
    }
}

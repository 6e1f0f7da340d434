namespace DeRa.Kernels.Verification;

/// <summary>
/// The whole op contract as plain sequential float32 loops, run at once when enqueued: the naive program that tolerances are measured from
/// (docs/numerics.md), and an executable reading of the contract. Slow on purpose. Its virtual steps let a test put one mistake into it and see
/// that the checks notice.
/// </summary>
public unsafe partial class NaiveKernelSet : KernelSet
{
    private long launches;

    /// <inheritdoc />
    public override DeviceDescription Device { get; } =
        new(DeviceKind.Cpu, 0, "naive float32 reference", "one thread, scalar", GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    /// <inheritdoc />
    public override long LaunchCount => launches;

    /// <inheritdoc />
    public override DeviceBuffer Allocate(long byteLength) => new NaiveBuffer(byteLength);

    /// <inheritdoc />
    public override DeviceBuffer LoadWeights(nint hostAddress, long byteLength) => new NaiveBuffer(hostAddress, byteLength);

    /// <inheritdoc />
    public override void Run() => launches++;

    /// <inheritdoc />
    protected override void WriteBytes(DeviceBuffer target, long byteOffset, ReadOnlySpan<byte> data) =>
        data.CopyTo(new Span<byte>(Bytes(target) + byteOffset, data.Length));

    /// <inheritdoc />
    protected override void ReadBytes(DeviceBuffer source, long byteOffset, Span<byte> data) =>
        new ReadOnlySpan<byte>(Bytes(source) + byteOffset, data.Length).CopyTo(data);

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
    }

    /// <summary>First element of a row.</summary>
    private protected static float* Row(Matrix matrix, int row) =>
        (float*)Bytes(matrix.Buffer) + matrix.Offset + (long)row * matrix.RowStride;

    /// <summary>First integer.</summary>
    private protected static int* Ints(IntVector vector) => (int*)Bytes(vector.Buffer) + vector.Offset;

    /// <summary>First float of a buffer.</summary>
    private protected static float* Floats(DeviceBuffer buffer) => (float*)Bytes(buffer);

    /// <summary>Element (row, column) of a weight as float32.</summary>
    private protected static float Element(Weight weight, int row, int column)
    {
        long index = weight.InputMajor ? (long)column * weight.Rows + row : (long)row * weight.Columns + column;
        byte* at = Bytes(weight.Buffer) + weight.ByteOffset + index * weight.DType.Size();
        return weight.DType switch
        {
            DType.F32 => BitConverter.ToSingle(new ReadOnlySpan<byte>(at, 4)),
            DType.F16 => (float)BitConverter.ToHalf(new ReadOnlySpan<byte>(at, 2)),
            _ => BitConverter.Int32BitsToSingle(BitConverter.ToUInt16(new ReadOnlySpan<byte>(at, 2)) << 16),
        };
    }

    private protected static byte* Bytes(DeviceBuffer buffer) => ((NaiveBuffer)buffer).Address;
}

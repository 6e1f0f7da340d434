using System.Runtime.InteropServices;

namespace DeRa.Kernels.Tests.Cpu;

/// <summary>Data of one test on one set: random tensors on the device beside their float64 values, freed together.</summary>
internal sealed class CpuTensors(KernelSet set, int seed) : IDisposable
{
    private readonly Random random = new(seed);
    private readonly List<DeviceBuffer> buffers = [];
    private readonly List<GCHandle> pinned = [];

    public float[] Normal(int count, double scale = 1) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(scale * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];

    public Matrix Matrix(float[] values, int columns)
    {
        DeviceBuffer buffer = Buffer<float>(values);
        return Kernels.Matrix.Dense(buffer, values.Length / columns, columns);
    }

    public Matrix Empty(int rows, int columns)
    {
        DeviceBuffer buffer = set.Allocate(4L * rows * columns);
        buffers.Add(buffer);
        return Kernels.Matrix.Dense(buffer, rows, columns);
    }

    public DeviceBuffer Buffer<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        DeviceBuffer buffer = set.Allocate(Math.Max(256, MemoryMarshal.AsBytes(values).Length));
        set.Write(buffer, 0, values);
        buffers.Add(buffer);
        return buffer;
    }

    public IntVector Ints(params int[] values) => new(Buffer<int>(values), 0, values.Length);

    /// <summary>
    /// Stores values in a dtype at an odd address, as in a mapped file, and rounds <paramref name="values"/> to what was stored.
    /// </summary>
    public Weight Weight(float[] values, int rows, int columns, DType dtype, bool inputMajor = false)
    {
        int size = dtype.Size();
        var bytes = new byte[values.Length * size + 1];
        for (int i = 0; i < values.Length; i++)
        {
            // Memory of an input-major weight is [columns, rows].
            int at = 1 + size * (inputMajor ? i % columns * rows + i / columns : i);
            switch (dtype)
            {
                case DType.F32:
                    MemoryMarshal.Write(bytes.AsSpan(at), values[i]);
                    break;
                case DType.F16:
                    MemoryMarshal.Write(bytes.AsSpan(at), (Half)values[i]);
                    values[i] = (float)(Half)values[i];
                    break;
                default:
                    uint bits = BitConverter.SingleToUInt32Bits(values[i]) & 0xffff0000;
                    MemoryMarshal.Write(bytes.AsSpan(at), (ushort)(bits >> 16));
                    values[i] = BitConverter.UInt32BitsToSingle(bits);
                    break;
            }
        }

        var handle = GCHandle.Alloc(bytes, GCHandleType.Pinned);
        pinned.Add(handle);
        DeviceBuffer buffer = set.LoadWeights(handle.AddrOfPinnedObject(), bytes.Length);
        buffers.Add(buffer);
        return new Weight(buffer, 1, dtype, rows, columns, inputMajor);
    }

    public float[] Read(Matrix matrix)
    {
        var values = new float[matrix.Rows * matrix.Columns];
        set.Read(matrix.Buffer, 4 * matrix.Offset, values.AsSpan());
        return values;
    }

    public void Dispose()
    {
        buffers.ForEach(buffer => buffer.Dispose());
        pinned.ForEach(handle => handle.Free());
    }
}

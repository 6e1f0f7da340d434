namespace DeRa.Kernels.Verification;

/// <summary>Puts test data on one set and frees it at the end.</summary>
internal sealed class Workbench(KernelSet set) : IDisposable
{
    /// <summary>Floats between the rows of a strided matrix; operations must leave them alone.</summary>
    private const int Gap = 5;

    private const float Poison = -12345f;

    private readonly List<DeviceBuffer> buffers = [];
    private readonly List<(DeviceBuffer Buffer, Matrix Matrix)> strided = [];
    private readonly List<byte[]> pinned = [];

    public KernelSet Set { get; } = set;

    /// <summary>A dense matrix holding <paramref name="values"/>.</summary>
    public Matrix Matrix(float[,] values)
    {
        Matrix matrix = Zeros(values.GetLength(0), values.GetLength(1));
        Set.Write<float>(matrix.Buffer, 0, Flat(values));
        return matrix;
    }

    /// <summary>A window inside a larger buffer, gaps filled with a value that <see cref="Read"/> finds again.</summary>
    public Matrix Strided(float[,] values)
    {
        int rows = values.GetLength(0), columns = values.GetLength(1), stride = columns + Gap;
        float[] host = new float[rows * stride + Gap], flat = Flat(values);
        Array.Fill(host, Poison);
        for (int row = 0; row < rows; row++)
        {
            flat.AsSpan(row * columns, columns).CopyTo(host.AsSpan(Gap + row * stride));
        }

        DeviceBuffer buffer = Buffer<float>(host);
        var matrix = new Matrix(buffer, Gap, rows, columns, stride);
        strided.Add((buffer, matrix));
        return matrix;
    }

    public Matrix Zeros(int rows, int columns) => DeRa.Kernels.Matrix.Dense(Keep(Set.Allocate(4L * rows * columns)), rows, columns);

    /// <summary>Keys or values of a cache, in the type that this set stores instead of the one asked for.</summary>
    public DeviceBuffer Cache(float[] values, DType type)
    {
        var row = new float[1, values.Length];
        System.Buffer.BlockCopy(values, 0, row, 0, 4 * values.Length);
        return Buffer<byte>(new HostWeight(type, row).Bytes);
    }

    public IntVector Ints(int[] values) => new(Buffer<int>(values), 0, values.Length);

    /// <summary>Host values in device memory; an empty span still gets a buffer.</summary>
    public DeviceBuffer Buffer<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        DeviceBuffer buffer = Keep(Set.Allocate(Math.Max(16, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values).Length)));
        Set.Write(buffer, 0, values);
        return buffer;
    }

    /// <summary>The weight at <paramref name="byteOffset"/> bytes of a buffer; only the Cpu set takes one that is not a multiple of 256.</summary>
    public Weight Weight(HostWeight weight, int byteOffset = 0)
    {
        Weight shape = weight.Shape(Set);
        byte[] host = GC.AllocateArray<byte>((int)shape.ByteLength + byteOffset, pinned: true);
        int lines = shape.RowPadding == 0 ? 1 : shape.Rows, line = weight.Bytes.Length / lines, stride = (int)shape.ByteLength / lines;
        for (int i = 0; i < lines; i++)
        {
            weight.Bytes.AsSpan(i * line, line).CopyTo(host.AsSpan(byteOffset + (i * stride)));
        }

        pinned.Add(host);
        DeviceBuffer buffer = Keep(Set.LoadWeights(System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(host, 0), host.Length));
        return shape with { Buffer = buffer, ByteOffset = byteOffset };
    }

    public Weight? Weight(HostWeight? weight) => weight is null ? null : Weight(weight, 0);

    /// <summary>Runs what is enqueued and reads the matrix; throws if an operation wrote between the rows of a strided one.</summary>
    public float[,] Read(Matrix matrix)
    {
        Set.Run();
        foreach ((DeviceBuffer buffer, Matrix window) in strided)
        {
            float[] all = Read<float>(buffer, (int)(buffer.ByteLength / 4));
            for (int i = 0; i < all.Length; i++)
            {
                int inside = i - Gap;
                if ((inside < 0 || inside % window.RowStride >= window.Columns) && all[i] != Poison)
                {
                    throw new InvalidOperationException($"wrote {all[i]} outside the rows of a strided matrix, {i} floats into its buffer");
                }
            }
        }

        var values = new float[matrix.Rows, matrix.Columns];
        for (int row = 0; row < matrix.Rows; row++)
        {
            var line = new float[matrix.Columns];
            Set.Read<float>(matrix.Buffer, 4 * (matrix.Offset + (long)row * matrix.RowStride), line);
            System.Buffer.BlockCopy(line, 0, values, 4 * row * matrix.Columns, 4 * matrix.Columns);
        }

        return values;
    }

    /// <summary>Reads elements from the start of a buffer; <see cref="KernelSet.Run"/> is the caller's.</summary>
    public T[] Read<T>(DeviceBuffer buffer, int count)
        where T : unmanaged
    {
        var values = new T[count];
        Set.Read<T>(buffer, 0, values);
        return values;
    }

    /// <summary>Frees the buffers, after operations that a failed check left enqueued over them have run.</summary>
    public void Dispose()
    {
        Set.Run();
        foreach (DeviceBuffer buffer in buffers)
        {
            buffer.Dispose();
        }

        GC.KeepAlive(pinned);
    }

    private DeviceBuffer Keep(DeviceBuffer buffer)
    {
        buffers.Add(buffer);
        return buffer;
    }

    private static float[] Flat(float[,] values)
    {
        var flat = new float[values.Length];
        System.Buffer.BlockCopy(values, 0, flat, 0, 4 * flat.Length);
        return flat;
    }
}

namespace DeRa.Kernels;

/// <summary>Shape checks at the public edge of the contract; kernels trust them.</summary>
internal static class Guard
{
    public static void Equal(int got, int expected, string what)
    {
        if (got != expected)
        {
            throw new ArgumentException($"{what}: expected {expected}, got {got}");
        }
    }

    public static void AtMost(int got, int limit, string what)
    {
        if (got > limit)
        {
            throw new ArgumentException($"{what}: at most {limit}, got {got}");
        }
    }

    public static void Shape(Matrix matrix, int rows, int columns, string name)
    {
        if (matrix.Rows != rows || matrix.Columns != columns)
        {
            throw new ArgumentException($"{name}: expected [{rows}, {columns}], got [{matrix.Rows}, {matrix.Columns}]");
        }
    }

    /// <summary>Rows are dense, or as far apart as the set asks for.</summary>
    public static void RowStride(KernelSet set, Weight weight, string what)
    {
        if (weight.RowPadding != 0 && (weight.InputMajor || weight.RowStride != set.RowStride(weight.DType, weight.Columns)))
        {
            throw new ArgumentException($"{what}: rows of {weight.Columns} are {weight.RowStride} elements apart, which this kernel set does not read");
        }
    }

    public static void CacheType(KvLayer cache, DType possible)
    {
        if (cache.Type != DType.F32 && cache.Type != possible)
        {
            throw new ArgumentException($"type of the cache: {cache.Type} with heads of {cache.HeadDim} is not one that this kernel set stores");
        }
    }

    public static void Together(bool firstMissing, bool secondMissing, string first, string second)
    {
        if (firstMissing != secondMissing)
        {
            throw new ArgumentException($"{first} and {second} are given together or not at all");
        }
    }

    public static void Range(DeviceBuffer buffer, long byteOffset, long byteLength, string name)
    {
        ArgumentNullException.ThrowIfNull(buffer, name);
        if (byteOffset < 0 || byteLength < 0 || byteOffset > buffer.ByteLength - byteLength)
        {
            throw new ArgumentException(
                $"{name}: bytes {byteOffset} to {byteOffset + byteLength} lie outside the buffer of {buffer.ByteLength} bytes");
        }
    }

    /// <summary>Checks both sides of a head and returns their number of rows.</summary>
    public static int HeadModels(KernelSet set, HeadModel? reference, HeadModel? aligned, int vocabulary)
    {
        HeadModel any = reference ?? aligned ?? throw new ArgumentException("the head needs at least one model");
        foreach (HeadModel? model in new[] { reference, aligned })
        {
            if (model is null)
            {
                continue;
            }

            Equal(model.Hidden.Rows, any.Hidden.Rows, "rows of hidden states");
            Equal(model.Output.Columns, model.Hidden.Columns, "width of the output projection");
            AtMost(vocabulary, model.Output.Rows, "vocabulary");
            RowStride(set, model.Output, "output projection");
            if (model.Output.InputMajor)
            {
                throw new ArgumentException("an output projection is stored output-major");
            }
        }

        return any.Hidden.Rows;
    }
}

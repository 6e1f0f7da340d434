namespace DeRa.Kernels.Portable;

/// <summary>How OpenCL C reads a storage type.</summary>
/// <param name="Type">The pointer's element type.</param>
/// <param name="Size">Bytes of an element.</param>
/// <param name="Vector">A float8 from eight consecutive elements at an address.</param>
/// <param name="Scalar">A float from one element at an address.</param>
internal sealed record SerialSource(string Type, int Size, Func<string, string> Vector, Func<string, string> Scalar)
{
    /// <summary>By the number of a <see cref="DType"/>, a constant of the kernel.</summary>
    public static SerialSource Of(string dtype) => dtype switch
    {
        "0" => new SerialSource("float", 4, at => $"vload8(0, {at})", at => $"(*({at}))"),
        "1" => new SerialSource("half", 2, at => $"vload_half8(0, {at})", at => $"vload_half(0, {at})"),
        "2" => new SerialSource(
            "ushort",
            2,
            at => $"as_float8(convert_uint8(vload8(0, {at})) << 16)",
            at => $"as_float((uint)*({at}) << 16)"),
        _ => throw new NotSupportedException($"the storage type must be a constant of the kernel, found '{dtype}'"),
    };
}

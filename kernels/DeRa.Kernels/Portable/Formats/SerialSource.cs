namespace DeRa.Kernels.Portable;

/// <summary>How OpenCL C reads a storage type.</summary>
/// <param name="Type">The pointer's element type.</param>
/// <param name="Size">Bytes of an element.</param>
/// <param name="Vector">A float vector from as many consecutive elements at an address: 8 or 16.</param>
/// <param name="Scalar">A float from one element at an address.</param>
internal sealed record SerialSource(string Type, int Size, Func<string, int, string> Vector, Func<string, string> Scalar)
{
    /// <summary>By the number of a <see cref="DType"/>, a constant of the kernel.</summary>
    public static SerialSource Of(string dtype) => dtype switch
    {
        "0" => new SerialSource("float", 4, (at, lanes) => $"vload{lanes}(0, {at})", at => $"(*({at}))"),
        "1" => new SerialSource("half", 2, (at, lanes) => $"vload_half{lanes}(0, {at})", at => $"vload_half(0, {at})"),
        "2" => new SerialSource(
            "ushort",
            2,
            (at, lanes) => $"as_float{lanes}(convert_uint{lanes}(vload{lanes}(0, {at})) << 16)",
            at => $"as_float((uint)*({at}) << 16)"),
        _ => throw new NotSupportedException($"the storage type must be a constant of the kernel, found '{dtype}'"),
    };
}

namespace DeRa.Checkpoints.Safetensors;

/// <summary>One entry of a safetensors header, checked against the rules of the format.</summary>
/// <param name="Name">Tensor name.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions, outermost first; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the start of the data buffer.</param>
/// <param name="End">One past the last byte, counted from the start of the data buffer.</param>
public sealed record SafetensorsTensor(string Name, SafetensorsType Type, IReadOnlyList<long> Shape, long Begin, long End)
{
    /// <summary>Bytes stored.</summary>
    public long ByteLength => End - Begin;

    /// <summary>Number of elements.</summary>
    public long ElementCount => ByteLength / Type.Size();
}

namespace DeRa.Kernels;

/// <summary>Element type of a stored tensor. Arithmetic is float32 whatever the storage (docs/numerics.md).</summary>
public enum DType
{
    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>IEEE 754 binary16.</summary>
    F16,

    /// <summary>bfloat16: the upper 16 bits of a binary32.</summary>
    BF16,
}

/// <summary>Sizes of <see cref="DType"/> values.</summary>
public static class DTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this DType dtype) => dtype == DType.F32 ? 4 : 2;
}

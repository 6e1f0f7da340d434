using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>A storage type as a compile-time parameter of kernels. Weights are addressed in 16-bit units whatever the type.</summary>
internal interface IWeightFormat
{
    /// <summary>The storage type as a constant.</summary>
    static abstract int Code { get; }

    /// <summary>16-bit units per element.</summary>
    static abstract int Units { get; }

    /// <summary>One element.</summary>
    static abstract float Load(ArrayView<ushort> data, long element);

    /// <summary>Elements element … element + 7.</summary>
    static abstract Eight LoadEight(ArrayView<ushort> data, long element);
}

/// <summary>bfloat16.</summary>
internal readonly struct BFloat16Format : IWeightFormat
{
    public static int Code => (int)DType.BF16;

    public static int Units => 1;

    public static float Load(ArrayView<ushort> data, long element) => WeightBits.BFloat16(data[element]);

    public static Eight LoadEight(ArrayView<ushort> data, long element) => WeightEight.BFloat16(ref data[element]);
}

/// <summary>IEEE binary16.</summary>
internal readonly struct Float16Format : IWeightFormat
{
    public static int Code => (int)DType.F16;

    public static int Units => 1;

    public static float Load(ArrayView<ushort> data, long element) => WeightBits.Float16(data[element]);

    public static Eight LoadEight(ArrayView<ushort> data, long element) => WeightEight.Float16(ref data[element]);
}

/// <summary>IEEE binary32.</summary>
internal readonly struct Float32Format : IWeightFormat
{
    public static int Code => (int)DType.F32;

    public static int Units => 2;

    public static float Load(ArrayView<ushort> data, long element) => WeightBits.Float32(data[2 * element], data[2 * element + 1]);

    public static Eight LoadEight(ArrayView<ushort> data, long element) => WeightEight.Float32(ref data[2 * element]);
}

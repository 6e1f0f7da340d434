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

    /// <summary>The same elements as they are stored, where they begin at a multiple of sixteen bytes.</summary>
    static abstract StoredEight Fetch(ArrayView<ushort> data, long element);

    /// <summary>What <see cref="Fetch"/> gave, as numbers.</summary>
    static abstract Eight Decode(StoredEight stored);
}

/// <summary>bfloat16.</summary>
internal readonly struct BFloat16Format : IWeightFormat
{
    public static int Code => (int)DType.BF16;

    public static int Units => 1;

    public static float Load(ArrayView<ushort> data, long element) => WeightBits.BFloat16(data[element]);

    public static Eight LoadEight(ArrayView<ushort> data, long element) => WeightEight.BFloat16(ref data[element]);

    public static StoredEight Fetch(ArrayView<ushort> data, long element) => StoredEight.OfTwoBytes(data, element);

    public static Eight Decode(StoredEight stored) => StoredEight.BFloat16(stored);
}

/// <summary>IEEE binary16.</summary>
internal readonly struct Float16Format : IWeightFormat
{
    public static int Code => (int)DType.F16;

    public static int Units => 1;

    public static float Load(ArrayView<ushort> data, long element) => WeightBits.Float16(data[element]);

    public static Eight LoadEight(ArrayView<ushort> data, long element) => WeightEight.Float16(ref data[element]);

    public static StoredEight Fetch(ArrayView<ushort> data, long element) => StoredEight.OfTwoBytes(data, element);

    public static Eight Decode(StoredEight stored) => StoredEight.Float16(stored);
}

/// <summary>IEEE binary32.</summary>
internal readonly struct Float32Format : IWeightFormat
{
    public static int Code => (int)DType.F32;

    public static int Units => 2;

    public static float Load(ArrayView<ushort> data, long element) => WeightBits.Float32(data[2 * element], data[2 * element + 1]);

    public static Eight LoadEight(ArrayView<ushort> data, long element) => WeightEight.Float32(ref data[2 * element]);

    public static StoredEight Fetch(ArrayView<ushort> data, long element) => StoredEight.OfFourBytes(data, element);

    public static Eight Decode(StoredEight stored) => StoredEight.Float32(stored);
}

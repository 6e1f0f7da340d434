using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>The lanes that a product of weights and activations takes at a time, as a compile-time parameter: <see cref="EightLanes"/> or <see cref="SixteenLanes"/>.</summary>
/// <typeparam name="TVector">A vector of that many float32.</typeparam>
internal unsafe interface IVectorWidth<TVector>
    where TVector : struct
{
    /// <summary>Lanes; a block is two vectors of them.</summary>
    static abstract int Count { get; }

    /// <summary>Most rows of x by four outputs for which there are registers; more take three outputs.</summary>
    static abstract int RowsOfFour { get; }

    /// <summary>Most rows of x of a tile.</summary>
    static abstract int MostRows { get; }

    /// <summary>The lanes from an address on.</summary>
    static abstract TVector Load(float* x);

    /// <inheritdoc cref="IWeightFormat.First" />
    static abstract TVector First<TFormat>(byte* block)
        where TFormat : struct, IWeightFormat;

    /// <inheritdoc cref="IWeightFormat.Second" />
    static abstract TVector Second<TFormat>(byte* block)
        where TFormat : struct, IWeightFormat;

    /// <summary>a·b + c.</summary>
    static abstract TVector MultiplyAdd(TVector a, TVector b, TVector c);

    /// <summary>The sum of all lanes, in the one order.</summary>
    static abstract float Sum(TVector v);
}

/// <summary>AVX2, NEON, and no vector instructions at all. Twelve accumulators, three of weights and one of x are sixteen registers.</summary>
internal readonly unsafe struct EightLanes : IVectorWidth<Vector256<float>>
{
    public static int Count => 8;

    public static int RowsOfFour => 2;

    public static int MostRows => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* x) => Vector256.Load(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> First<TFormat>(byte* block)
        where TFormat : struct, IWeightFormat => TFormat.First(block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Second<TFormat>(byte* block)
        where TFormat : struct, IWeightFormat => TFormat.Second(block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Lanes.MultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> v) => Lanes.Sum(v);
}

/// <summary>AVX-512, which has 32 registers: 24 accumulators, three of weights and one of x are a tile of eight rows.</summary>
internal readonly unsafe struct SixteenLanes : IVectorWidth<Vector512<float>>
{
    public static int Count => 16;

    public static int RowsOfFour => 4;

    public static int MostRows => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* x) => Vector512.Load(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> First<TFormat>(byte* block)
        where TFormat : struct, IWeightFormat => TFormat.First512(block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Second<TFormat>(byte* block)
        where TFormat : struct, IWeightFormat => TFormat.Second512(block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Lanes.MultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> v) => Lanes.Sum(v);
}

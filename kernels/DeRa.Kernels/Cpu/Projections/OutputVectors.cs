using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

/// <summary>A vector for each of a tile's outputs: half a block of their weights, or a row's sums. Named fields stay in registers.</summary>
/// <typeparam name="TSelf">The type itself.</typeparam>
/// <typeparam name="TVector">A vector.</typeparam>
internal unsafe interface IOutputVectors<TSelf, TVector>
    where TSelf : struct
{
    /// <summary>Outputs.</summary>
    static abstract int Count { get; }

    /// <summary>The first halves of a block of weights; a row of weights is stride bytes from the one before.</summary>
    static abstract TSelf First(byte* w, long stride);

    /// <summary>The second halves.</summary>
    static abstract TSelf Second(byte* w, long stride);

    /// <summary>Adds weights times x to sums.</summary>
    void Add(TSelf weights, TVector x);

    /// <summary>Sums up each vector's lanes.</summary>
    void Store(float* y);
}

/// <inheritdoc cref="IOutputVectors{TSelf, TVector}" />
internal unsafe struct ThreeOutputs<TFormat, TWidth, TVector> : IOutputVectors<ThreeOutputs<TFormat, TWidth, TVector>, TVector>
    where TFormat : struct, IWeightFormat
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    private TVector v0, v1, v2;

    public static int Count => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ThreeOutputs<TFormat, TWidth, TVector> First(byte* w, long stride) => new()
    {
        v0 = TWidth.First<TFormat>(w),
        v1 = TWidth.First<TFormat>(w + stride),
        v2 = TWidth.First<TFormat>(w + 2 * stride),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ThreeOutputs<TFormat, TWidth, TVector> Second(byte* w, long stride) => new()
    {
        v0 = TWidth.Second<TFormat>(w),
        v1 = TWidth.Second<TFormat>(w + stride),
        v2 = TWidth.Second<TFormat>(w + 2 * stride),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ThreeOutputs<TFormat, TWidth, TVector> weights, TVector x)
    {
        v0 = TWidth.MultiplyAdd(weights.v0, x, v0);
        v1 = TWidth.MultiplyAdd(weights.v1, x, v1);
        v2 = TWidth.MultiplyAdd(weights.v2, x, v2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* y)
    {
        y[0] = TWidth.Sum(v0);
        y[1] = TWidth.Sum(v1);
        y[2] = TWidth.Sum(v2);
    }
}

/// <inheritdoc cref="IOutputVectors{TSelf, TVector}" />
internal unsafe struct FourOutputs<TFormat, TWidth, TVector> : IOutputVectors<FourOutputs<TFormat, TWidth, TVector>, TVector>
    where TFormat : struct, IWeightFormat
    where TWidth : struct, IVectorWidth<TVector>
    where TVector : struct
{
    private TVector v0, v1, v2, v3;

    public static int Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourOutputs<TFormat, TWidth, TVector> First(byte* w, long stride) => new()
    {
        v0 = TWidth.First<TFormat>(w),
        v1 = TWidth.First<TFormat>(w + stride),
        v2 = TWidth.First<TFormat>(w + 2 * stride),
        v3 = TWidth.First<TFormat>(w + 3 * stride),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FourOutputs<TFormat, TWidth, TVector> Second(byte* w, long stride) => new()
    {
        v0 = TWidth.Second<TFormat>(w),
        v1 = TWidth.Second<TFormat>(w + stride),
        v2 = TWidth.Second<TFormat>(w + 2 * stride),
        v3 = TWidth.Second<TFormat>(w + 3 * stride),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(FourOutputs<TFormat, TWidth, TVector> weights, TVector x)
    {
        v0 = TWidth.MultiplyAdd(weights.v0, x, v0);
        v1 = TWidth.MultiplyAdd(weights.v1, x, v1);
        v2 = TWidth.MultiplyAdd(weights.v2, x, v2);
        v3 = TWidth.MultiplyAdd(weights.v3, x, v3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Store(float* y)
    {
        y[0] = TWidth.Sum(v0);
        y[1] = TWidth.Sum(v1);
        y[2] = TWidth.Sum(v2);
        y[3] = TWidth.Sum(v3);
    }
}

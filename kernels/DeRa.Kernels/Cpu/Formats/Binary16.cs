using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// IEEE binary16 by integer steps: exponent and fraction moved into a float32's place are the number times 2^−112, so one exact multiplication
/// finishes normal and subnormal numbers alike; exponent 31 (∞, NaN) gets the float32 exponent of all ones.
/// </summary>
internal readonly unsafe struct Binary16 : IWeightFormat
{
    private const uint Magnitude = 0x0fffe000, SignAndMagnitude = 0x8fffe000, Special = 0x0f800000, AllOnes = 0x7f800000;
    private const float Rebias = 5.192296858534828e33f; // 2^112

    public static int Size => 2;

    public static bool SplitsEvenOdd => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> First(byte* block) => Expand(Vector256.Load((int*)block) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Second(byte* block) =>
        Expand(Avx.IsSupported ? Avx.LoadDquVector256((int*)block) : Vector256.Load((int*)block));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> First512(byte* block) => Expand(Vector512.Load((int*)block) << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Second512(byte* block) => Expand(Vector512.Load((int*)block));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load8(byte* source) => Expand((Halves.Widen(source) << 16).AsInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* source) => (float)Unsafe.ReadUnaligned<Half>(source);

    /// <summary>The numbers in the high halves of the lanes; the low halves are ignored.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Expand(Vector256<int> high)
    {
        Vector256<uint> moved = (high >> 3).AsUInt32() & Vector256.Create(SignAndMagnitude); // the arithmetic shift keeps the sign in place
        Vector256<int> special = Vector256.GreaterThan(
            (moved & Vector256.Create(Magnitude)).AsInt32(), Vector256.Create((int)Special - 1));
        Vector256<float> value = moved.AsSingle() * Rebias;
        return (value.AsUInt32() | (special.AsUInt32() & Vector256.Create(AllOnes))).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Expand(Vector512<int> high)
    {
        Vector512<uint> moved = (high >> 3).AsUInt32() & Vector512.Create(SignAndMagnitude);
        Vector512<int> special = Vector512.GreaterThan(
            (moved & Vector512.Create(Magnitude)).AsInt32(), Vector512.Create((int)Special - 1));
        Vector512<float> value = moved.AsSingle() * Rebias;
        return (value.AsUInt32() | (special.AsUInt32() & Vector512.Create(AllOnes))).AsSingle();
    }
}

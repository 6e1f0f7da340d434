using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>IEEE binary32, taken as it is.</summary>
internal readonly unsafe struct Binary32 : IWeightFormat
{
    public static int Size => 4;

    public static bool SplitsEvenOdd => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> First(byte* block) => Vector256.Load((float*)block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Second(byte* block) => Vector256.Load((float*)block + 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> First512(byte* block) => Vector512.Load((float*)block);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Second512(byte* block) => Vector512.Load((float*)block + 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load8(byte* source) => Vector256.Load((float*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* source) => Unsafe.ReadUnaligned<float>(source);
}

using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// bfloat16: the upper half of a float32. Even elements are the low halves of 32-bit words (one shift), odd ones the high halves (one blend with
/// zero): two cheap steps for 16 weights where widening in order costs four.
/// </summary>
internal readonly unsafe struct BFloat16 : IWeightFormat
{
    public static int Size => 2;

    public static bool SplitsEvenOdd => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> First(byte* block) => (Vector256.Load((uint*)block) << 16).AsSingle();

    // Another load instruction than First's, on purpose: the JIT would otherwise keep the loaded value and spill it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Second(byte* block) => Avx2.IsSupported
        ? Avx2.Blend(Vector256<ushort>.Zero, Avx.LoadDquVector256((ushort*)block), 0xAA).AsSingle()
        : (Vector256.Load((uint*)block) & Vector256.Create(0xffff0000u)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> First512(byte* block) => (Vector512.Load((uint*)block) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Second512(byte* block) => (Vector512.Load((uint*)block) & Vector512.Create(0xffff0000u)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load8(byte* source) => (Halves.Widen(source) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* source) => BitConverter.UInt32BitsToSingle((uint)Unsafe.ReadUnaligned<ushort>(source) << 16);
}

/// <summary>16-bit elements to 32-bit lanes.</summary>
internal static unsafe class Halves
{
    /// <summary>Eight unsigned 16-bit numbers in order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Widen(byte* source)
    {
        if (Avx2.IsSupported)
        {
            return Avx2.ConvertToVector256Int32((ushort*)source).AsUInt32();
        }

        Vector128<ushort> eight = Vector128.Load((ushort*)source);
        return Vector256.Create(Vector128.WidenLower(eight), Vector128.WidenUpper(eight));
    }
}

using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

/// <summary>Floats as unsigned integers of the same order, so that a threshold can be found digit by digit.</summary>
internal static class OrderedBits
{
    /// <summary>The integer of a float; −0 must have been turned into 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Of(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
    }

    /// <summary>The float of an integer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToSingle(uint key) =>
        BitConverter.UInt32BitsToSingle((key & 0x80000000) != 0 ? key & 0x7fffffff : ~key);
}

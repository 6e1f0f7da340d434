using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

/// <summary>Copies of what is left of weight rows past the last whole block, with zeros behind: nothing past the weight's end is read.</summary>
internal static unsafe class WeightTails
{
    /// <summary>From one row's copy to the next: a block of the widest format.</summary>
    public const int Bytes = 128;

    /// <summary>Copies the tails of some rows.</summary>
    /// <param name="w">First weight row.</param>
    /// <param name="stride">Bytes from a row to the next.</param>
    /// <param name="rowBytes">Bytes of a row.</param>
    /// <param name="restBytes">Bytes past its last whole block.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="tails">[rows, <see cref="Bytes"/>] the copies.</param>
    public static void Stage(byte* w, long stride, long rowBytes, int restBytes, int rows, byte* tails)
    {
        for (int row = 0; row < rows; row++)
        {
            byte* tail = tails + row * Bytes;
            Unsafe.InitBlockUnaligned(tail, 0, Bytes);
            Unsafe.CopyBlockUnaligned(tail, w + row * stride + rowBytes - restBytes, (uint)restBytes);
        }
    }
}

using System.Runtime.InteropServices;
using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>A copy of a tensor in another dtype, in native memory; values are rounded to nearest, ties to even.</summary>
internal sealed unsafe class WeightConversion : IDisposable
{
    private const int ChunkElements = 1 << 16;

    private void* memory;

    /// <exception cref="CheckpointException">A finite value is out of the target's range: past ±65504 for f16.</exception>
    public WeightConversion(CheckpointTensor tensor, DType target)
    {
        ByteLength = tensor.ElementCount * target.Size();
        memory = NativeMemory.AlignedAlloc((nuint)Math.Max(1, ByteLength), 256);
        byte* source = tensor.Pointer;
        byte* copy = (byte*)memory;
        int chunks = (int)((tensor.ElementCount + ChunkElements - 1) / ChunkElements);
        bool overflow = false;
        Parallel.For(0, chunks, chunk =>
        {
            long from = (long)chunk * ChunkElements;
            int count = (int)Math.Min(ChunkElements, tensor.ElementCount - from);
            if (!Convert(source + (from * tensor.DType.Size()), tensor.DType, copy + (from * target.Size()), target, count))
                Volatile.Write(ref overflow, true);
        });
        if (!overflow) return;
        Dispose();
        throw new CheckpointException(tensor.File, tensor.Name, $"values within the range of {target}", "a larger one; keep the stored type");
    }

    public nint Address => (nint)memory;

    public long ByteLength { get; }

    public void Dispose()
    {
        NativeMemory.AlignedFree(memory);
        memory = null;
    }

    // False where a finite value became an infinity.
    private static bool Convert(byte* source, DType from, byte* target, DType to, int count)
    {
        bool fits = true;
        for (int i = 0; i < count; i++)
        {
            float value = from switch
            {
                DType.F32 => ((float*)source)[i],
                DType.F16 => (float)((Half*)source)[i],
                _ => BitConverter.UInt32BitsToSingle((uint)((ushort*)source)[i] << 16),
            };
            switch (to)
            {
                case DType.F32:
                    ((float*)target)[i] = value;
                    break;
                case DType.F16:
                    Half half = (Half)value;
                    fits &= Half.IsFinite(half) || !float.IsFinite(value);
                    ((Half*)target)[i] = half;
                    break;
                default:
                    ushort upper = RoundToBFloat16(value);
                    fits &= (upper & 0x7f80) != 0x7f80 || !float.IsFinite(value);
                    ((ushort*)target)[i] = upper;
                    break;
            }
        }

        return fits;
    }

    private static ushort RoundToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)((bits >> 16) | 0x40) // quiet, and no payload that rounds to infinity
            : (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }
}

using System.Runtime.InteropServices;
using DeRa.Checkpoints;
using DeRa.Kernels;

namespace DeRa.Models;

/// <summary>A copy of a tensor in another dtype, in native memory; values are rounded to nearest, ties to even.</summary>
internal sealed unsafe class WeightConversion : IDisposable
{
    private const int ChunkElements = 1 << 16;

    private void* memory;

    public WeightConversion(CheckpointTensor tensor, DType target)
    {
        ByteLength = tensor.ElementCount * target.Size();
        memory = NativeMemory.AlignedAlloc((nuint)Math.Max(1, ByteLength), 256);
        byte* source = tensor.Pointer;
        byte* copy = (byte*)memory;
        int chunks = (int)((tensor.ElementCount + ChunkElements - 1) / ChunkElements);
        Parallel.For(0, chunks, chunk =>
        {
            long from = (long)chunk * ChunkElements;
            int count = (int)Math.Min(ChunkElements, tensor.ElementCount - from);
            Convert(source + (from * tensor.DType.Size()), tensor.DType, copy + (from * target.Size()), target, count);
        });
    }

    public nint Address => (nint)memory;

    public long ByteLength { get; }

    public void Dispose()
    {
        NativeMemory.AlignedFree(memory);
        memory = null;
    }

    private static void Convert(byte* source, DType from, byte* target, DType to, int count)
    {
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
                    ((Half*)target)[i] = (Half)value;
                    break;
                default:
                    ((ushort*)target)[i] = RoundToBFloat16(value);
                    break;
            }
        }
    }

    private static ushort RoundToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)((bits >> 16) | 0x40) // quiet, and no payload that rounds to infinity
            : (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }
}

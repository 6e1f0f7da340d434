using System.Runtime.InteropServices;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>Sixteen bytes as four registers: eight elements of a 16-bit type, the lower one of a pair in the lower half.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 16, Size = 16)]
internal struct Quad
{
    public uint X;
    public uint Y;
    public uint Z;
    public uint W;
}

/// <summary>
/// A lane's four float32 sums of a 16 × 8 tile D = A·B: (A row g, B columns 2t and 2t + 1), then the same of row g + 8, where g = lane / 4 and
/// t = lane mod 4 (PTX ISA, "Matrix fragments for mma.m16n8k16").
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Sums
{
    public float A;
    public float B;
    public float C;
    public float D;

    public static Sums Add(Sums to, Sums more) => new() { A = to.A + more.A, B = to.B + more.B, C = to.C + more.C, D = to.D + more.D };

    /// <summary>Writes the four elements to [B column, A row] of shared memory, A's rows next to each other.</summary>
    public readonly void Store(ArrayView<float> target, int first, int stride)
    {
        target[first] = A;
        target[first + stride] = B;
        target[first + 8] = C;
        target[first + stride + 8] = D;
    }
}

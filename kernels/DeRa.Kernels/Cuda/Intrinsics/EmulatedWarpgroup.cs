using System.Runtime.InteropServices;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// What <see cref="Warpgroup"/> does in ILGPU's emulation. Operands are read where their descriptors say, through the swizzle, and a piece that is being copied
/// is NaN from the beginning of the copy to the wait for it: a wrong descriptor, a wrong place or a stage that is written or read too early shows in the results.
/// One emulated group runs at a time in a process.
/// </summary>
internal static class EmulatedWarpgroup
{
    // Shared addresses of descriptors are 18 bits wide.
    private const int AddressMask = (1 << 18) - 1;

    private const int MostWarpgroups = 2;

    private static readonly Barrier[] Barriers = [.. Enumerable.Range(0, MostWarpgroups).Select(_ => new Barrier(Warpgroup.Size))];
    private static nint shared;

    /// <summary>How a tensor core rounds a product's sum in emulation.</summary>
    public static float Exact(double sum) => (float)sum;

    /// <summary>The shared address of memory; all addresses are within 256 KiB of the one asked for last.</summary>
    public static int SharedAddress(nint at)
    {
        shared = at;
        return (int)(at & AddressMask);
    }

    /// <summary>Begins a stage's copies, of lines and rows <paramref name="half"/> the way to the next piece's; <see cref="Memory16.Commit"/> ends them.</summary>
    public static unsafe void Begin(StageCopies copies, StageStep step, int half)
    {
        ReadOnlySpan<long> from = MemoryMarshal.Cast<StageCopies, long>(MemoryMarshal.CreateReadOnlySpan(ref copies, 1));
        for (int piece = 0; piece < from.Length; piece++)
        {
            bool isWeights = piece < Warpgroup.WeightPieces;
            int size = isWeights ? 8 : 16;
            int line = isWeights ? ((2 * piece) + half) * Warpgroup.WeightLines / 2 : ((2 * (piece - Warpgroup.WeightPieces)) + half) * Warpgroup.ActivationRows / 2;
            for (int inputs = 0; inputs < 2; inputs++)
            {
                nint to = Pointer((isWeights ? step.ToWeights : step.ToActivations) + (inputs * Warpgroup.HalfBytes) + (line * Warpgroup.LineBytes));
                NativeMemory.Fill((void*)to, (nuint)size, 0xff);
                long source = from[piece] + (isWeights ? step.Weights : step.Activations) + (inputs * Warpgroup.LineBytes);
                Memory16.Begin(to, (nint)source, size, !isWeights ? size : inputs == 0 ? step.First : step.Second);
            }
        }
    }

    /// <summary>sums + a stage.</summary>
    /// <param name="sums">This lane's sums.</param>
    /// <param name="w">Descriptor of the weights.</param>
    /// <param name="x">Descriptor of the activations.</param>
    /// <param name="copies">Where to copy another stage from.</param>
    /// <param name="step">That stage.</param>
    /// <param name="element">A number by its bits.</param>
    /// <param name="round">What rounds the sum of sixteen products and what was there before.</param>
    public static WarpgroupSums Multiply(
        WarpgroupSums sums, long w, long x, StageCopies copies, StageStep step, Func<ushort, double> element, Func<double, float> round)
    {
        Begin(copies, step, 0);
        Memory16.Commit();
        Barriers[Group.IdxX / Warpgroup.Size].SignalAndWait();
        AddProducts(ref sums, w, x, element, round);
        return sums;
    }

    /// <summary>Adds this lane's products of a stage, which the warpgroup has at this moment in shared memory.</summary>
    public static void AddProducts(ref WarpgroupSums sums, long w, long x, Func<ushort, double> element, Func<double, float> round)
    {
        Span<float> all = MemoryMarshal.Cast<WarpgroupSums, float>(MemoryMarshal.CreateSpan(ref sums, 1));
        Span<double> upper = stackalloc double[16], lower = stackalloc double[16], row = stackalloc double[16];
        int line = Group.IdxX % Warpgroup.Size / EmulatedWarp.Size * Fragments.Outputs + Lane.Line;
        for (int product = 0; product < Warpgroup.Products; product++)
        {
            long advance = Warpgroup.Advance(product) >> 4;
            Read(w + advance, line, element, upper);
            Read(w + advance, line + Fragments.Rows, element, lower);
            for (int first = 0; first < WarpgroupSums.Rows; first += Fragments.Rows)
            {
                for (int odd = 0; odd < 2; odd++)
                {
                    Read(x + advance, first + (2 * Lane.Place) + odd, element, row);
                    int at = (first / 2) + odd;
                    all[at] = round(Dot(all[at], upper, row));
                    all[at + 2] = round(Dot(all[at + 2], lower, row));
                }
            }
        }
    }

    // In the order of TensorCore's body, so that bits are the same where rounding is.
    private static double Dot(double sum, ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        for (int i = 0; i < a.Length; i += 4)
        {
            sum += (a[i] * b[i] + a[i + 1] * b[i + 1]) + (a[i + 2] * b[i + 2] + a[i + 3] * b[i + 3]);
        }

        return sum;
    }

    // Sixteen inputs of a line of the operand that a descriptor describes.
    private static unsafe void Read(long descriptor, int line, Func<ushort, double> element, Span<double> values)
    {
        int start = (int)(descriptor & 0x3fff) << 4, eightLines = (int)((descriptor >> 32) & 0x3fff) << 4;
        if (descriptor >> 62 is not 1 || ((descriptor >> 49) & 7) != 0)
        {
            throw new InvalidOperationException($"descriptor {descriptor:x16}: a swizzle other than that of 128 bytes from a 1024-byte boundary on");
        }

        int address = start + (line / 8 * eightLines) + (line % 8 * 128);
        for (int column = 0; column < 2; column++)
        {
            int at = address + (16 * column);
            var numbers = (ushort*)Pointer(at ^ ((at >> 3) & 0x70)); // bits 7 to 9, the line, into bits 4 to 6, the column
            for (int i = 0; i < 8; i++)
            {
                values[(8 * column) + i] = element(numbers[i]);
            }
        }
    }

    private static nint Pointer(int address) => shared + ((address - (int)(shared & AddressMask)) & AddressMask);
}

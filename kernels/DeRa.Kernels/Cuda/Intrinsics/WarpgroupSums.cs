using System.Runtime.InteropServices;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// A lane's sums of 64 lines × 128 rows by four warps, 16 lines each: of every eight rows those that an mma.m16n8k16 would leave it (PTX ISA, "Matrix
/// fragments for wgmma.mma_async.m64nNk16"). Named fields, because an array indexed by a loop variable would lie in local memory.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WarpgroupSums
{
    /// <summary>Rows.</summary>
    public const int Rows = 16 * Fragments.Rows;

    public Sums S0;
    public Sums S1;
    public Sums S2;
    public Sums S3;
    public Sums S4;
    public Sums S5;
    public Sums S6;
    public Sums S7;
    public Sums S8;
    public Sums S9;
    public Sums S10;
    public Sums S11;
    public Sums S12;
    public Sums S13;
    public Sums S14;
    public Sums S15;

    public static WarpgroupSums Add(WarpgroupSums to, WarpgroupSums more) => new()
    {
        S0 = Sums.Add(to.S0, more.S0),
        S1 = Sums.Add(to.S1, more.S1),
        S2 = Sums.Add(to.S2, more.S2),
        S3 = Sums.Add(to.S3, more.S3),
        S4 = Sums.Add(to.S4, more.S4),
        S5 = Sums.Add(to.S5, more.S5),
        S6 = Sums.Add(to.S6, more.S6),
        S7 = Sums.Add(to.S7, more.S7),
        S8 = Sums.Add(to.S8, more.S8),
        S9 = Sums.Add(to.S9, more.S9),
        S10 = Sums.Add(to.S10, more.S10),
        S11 = Sums.Add(to.S11, more.S11),
        S12 = Sums.Add(to.S12, more.S12),
        S13 = Sums.Add(to.S13, more.S13),
        S14 = Sums.Add(to.S14, more.S14),
        S15 = Sums.Add(to.S15, more.S15),
    };

    /// <summary>Finishes all elements; <paramref name="line"/> and <paramref name="row"/> are this lane's first.</summary>
    public readonly void Finish(TensorLinearArgs args, LinearPart part, int line, int row)
    {
        args.Finish(part, S0, line, row);
        args.Finish(part, S1, line, row + 8);
        args.Finish(part, S2, line, row + 16);
        args.Finish(part, S3, line, row + 24);
        args.Finish(part, S4, line, row + 32);
        args.Finish(part, S5, line, row + 40);
        args.Finish(part, S6, line, row + 48);
        args.Finish(part, S7, line, row + 56);
        args.Finish(part, S8, line, row + 64);
        args.Finish(part, S9, line, row + 72);
        args.Finish(part, S10, line, row + 80);
        args.Finish(part, S11, line, row + 88);
        args.Finish(part, S12, line, row + 96);
        args.Finish(part, S13, line, row + 104);
        args.Finish(part, S14, line, row + 112);
        args.Finish(part, S15, line, row + 120);
    }

    /// <summary>Keeps all elements as the partial sums of a segment.</summary>
    public readonly void Keep(TensorLinearArgs args, LinearPart part, int segment, int line, int row)
    {
        args.Keep(part, S0, segment, line, row);
        args.Keep(part, S1, segment, line, row + 8);
        args.Keep(part, S2, segment, line, row + 16);
        args.Keep(part, S3, segment, line, row + 24);
        args.Keep(part, S4, segment, line, row + 32);
        args.Keep(part, S5, segment, line, row + 40);
        args.Keep(part, S6, segment, line, row + 48);
        args.Keep(part, S7, segment, line, row + 56);
        args.Keep(part, S8, segment, line, row + 64);
        args.Keep(part, S9, segment, line, row + 72);
        args.Keep(part, S10, segment, line, row + 80);
        args.Keep(part, S11, segment, line, row + 88);
        args.Keep(part, S12, segment, line, row + 96);
        args.Keep(part, S13, segment, line, row + 104);
        args.Keep(part, S14, segment, line, row + 112);
        args.Keep(part, S15, segment, line, row + 120);
    }

    /// <summary>Writes all elements to shared memory, rows <paramref name="stride"/> apart.</summary>
    public readonly void Store(ArrayView<float> tile, int stride, int line, int row)
    {
        int at = row * stride + line, eight = 8 * stride;
        S0.Store(tile, at, stride);
        S1.Store(tile, at + eight, stride);
        S2.Store(tile, at + 2 * eight, stride);
        S3.Store(tile, at + 3 * eight, stride);
        S4.Store(tile, at + 4 * eight, stride);
        S5.Store(tile, at + 5 * eight, stride);
        S6.Store(tile, at + 6 * eight, stride);
        S7.Store(tile, at + 7 * eight, stride);
        S8.Store(tile, at + 8 * eight, stride);
        S9.Store(tile, at + 9 * eight, stride);
        S10.Store(tile, at + 10 * eight, stride);
        S11.Store(tile, at + 11 * eight, stride);
        S12.Store(tile, at + 12 * eight, stride);
        S13.Store(tile, at + 13 * eight, stride);
        S14.Store(tile, at + 14 * eight, stride);
        S15.Store(tile, at + 15 * eight, stride);
    }
}

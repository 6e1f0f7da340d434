using System.Runtime.InteropServices;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// A lane's sums of 64 lines × 128 rows by four warps, 16 lines each: of every eight rows those that an mma.m16n8k16 would leave it (PTX ISA, "Matrix
/// fragments for wgmma.mma_async.m64nNk16"). Named fields, because an array indexed by a loop variable would lie in local memory.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WarpgroupSums : ITileSums
{
    /// <summary>Rows.</summary>
    public const int Rows = 16 * Fragments.Rows;

    /// <inheritdoc />
    public static int StoredRows => Rows;

    /// <inheritdoc />
    public static int FirstLine => Group.IdxX / EmulatedWarp.Size * Fragments.Outputs + Lane.Line;

    /// <inheritdoc />
    public static int FirstRow => 2 * Lane.Place;

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

    /// <inheritdoc />
    public readonly void Give<TSink>(TSink sink, int line, int row)
        where TSink : struct, ISumsSink
    {
        sink.Take(S0, line, row);
        sink.Take(S1, line, row + 8);
        sink.Take(S2, line, row + 16);
        sink.Take(S3, line, row + 24);
        sink.Take(S4, line, row + 32);
        sink.Take(S5, line, row + 40);
        sink.Take(S6, line, row + 48);
        sink.Take(S7, line, row + 56);
        sink.Take(S8, line, row + 64);
        sink.Take(S9, line, row + 72);
        sink.Take(S10, line, row + 80);
        sink.Take(S11, line, row + 88);
        sink.Take(S12, line, row + 96);
        sink.Take(S13, line, row + 104);
        sink.Take(S14, line, row + 112);
        sink.Take(S15, line, row + 120);
    }
}

namespace DeRa.Kernels.Cuda;

/// <summary>A chunk's result in device memory, as the lanes of the warp hold it: the lane that wrote a number reads it.</summary>
internal struct FlashPartial
{
    /// <summary>Numbers of a lane: maxima and sums of two rows, then two halves of 32 outputs.</summary>
    public const int Floats = 4 + 2 * 32;

    public long First;

    public static FlashPartial At<TWidth>(FlashArgs args, int cell, int chunk, int warp)
        where TWidth : struct, IHeadWidth => new()
        {
            First = (((long)cell * args.Shares * args.ChunksPerShare + chunk) * TWidth.Warps + warp) * Floats * EmulatedWarp.Size + Lane.Index,
        };

    public readonly void Keep(FlashArgs args, FlashTile tile, RowSums rows)
    {
        if (Lane.Line < tile.Rows)
        {
            args.Partials[First] = rows.UpperMax;
            args.Partials[First + EmulatedWarp.Size] = rows.LowerMax;
            args.Partials[First + 2 * EmulatedWarp.Size] = rows.UpperSum;
            args.Partials[First + 3 * EmulatedWarp.Size] = rows.LowerSum;
        }
    }

    public readonly void Keep(FlashArgs args, FlashTile tile, Sums8 o, int half)
    {
        if (Lane.Line < tile.Rows)
        {
            long at = First + (4 + 32 * half) * EmulatedWarp.Size;
            Keep(args, o.T0, at);
            Keep(args, o.T1, at + 4 * EmulatedWarp.Size);
            Keep(args, o.T2, at + 8 * EmulatedWarp.Size);
            Keep(args, o.T3, at + 12 * EmulatedWarp.Size);
            Keep(args, o.T4, at + 16 * EmulatedWarp.Size);
            Keep(args, o.T5, at + 20 * EmulatedWarp.Size);
            Keep(args, o.T6, at + 24 * EmulatedWarp.Size);
            Keep(args, o.T7, at + 28 * EmulatedWarp.Size);
        }
    }

    public readonly RowSums Rows(FlashArgs args) => new()
    {
        UpperMax = args.Partials[First],
        LowerMax = args.Partials[First + EmulatedWarp.Size],
        UpperSum = args.Partials[First + 2 * EmulatedWarp.Size],
        LowerSum = args.Partials[First + 3 * EmulatedWarp.Size],
    };

    public readonly Sums8 Output(FlashArgs args, int half)
    {
        long at = First + (4 + 32 * half) * EmulatedWarp.Size;
        return new()
        {
            T0 = Read(args, at),
            T1 = Read(args, at + 4 * EmulatedWarp.Size),
            T2 = Read(args, at + 8 * EmulatedWarp.Size),
            T3 = Read(args, at + 12 * EmulatedWarp.Size),
            T4 = Read(args, at + 16 * EmulatedWarp.Size),
            T5 = Read(args, at + 20 * EmulatedWarp.Size),
            T6 = Read(args, at + 24 * EmulatedWarp.Size),
            T7 = Read(args, at + 28 * EmulatedWarp.Size),
        };
    }

    private static void Keep(FlashArgs args, Sums sums, long at)
    {
        args.Partials[at] = sums.A;
        args.Partials[at + EmulatedWarp.Size] = sums.B;
        args.Partials[at + 2 * EmulatedWarp.Size] = sums.C;
        args.Partials[at + 3 * EmulatedWarp.Size] = sums.D;
    }

    private static Sums Read(FlashArgs args, long at) => new()
    {
        A = args.Partials[at],
        B = args.Partials[at + EmulatedWarp.Size],
        C = args.Partials[at + 2 * EmulatedWarp.Size],
        D = args.Partials[at + 3 * EmulatedWarp.Size],
    };
}

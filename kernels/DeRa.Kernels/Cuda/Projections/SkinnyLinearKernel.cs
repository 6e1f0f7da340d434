using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// y = x·Wᵀ (+ bias), or y += …, for 1 to 16 rows; up to three weights, a gate with its up projection, or one weight and the norm of what it adds to.
/// A warp owns 16 outputs of one segment of the inputs: its lanes stream the weights from device memory
/// into registers, 16 bytes a load, eight loads in flight, and multiply by activations that the group rounded into shared memory; rows are padded to 8 or
/// 16, since the weights' bytes set the pace. The last group of a tile of outputs adds the segments in order; the last of all tiles normalises the rows,
/// which it finds in the L2 cache. Grid: for each weight its tiles of 64 lines × segments.
/// </summary>
/// <remarks>
/// Bound: 2·in·out bytes of weights. Expected on 3.35 TB/s (H100): [4096, 4096] 33.6 MB, 10 µs; gate and up [14336, 4096] each 235 MB, 70 µs;
/// partial sums add 8·segments·rows·out bytes through the L2 cache, 4 MB of 33.6 for 16 rows of the former. A norm reads and writes its rows twice in one
/// group, 64 KB a row of 4,096: some 2 µs, less than what a launch of its own would leave the device idle for up to four rows. At 16 rows 16 FLOP a byte: far below the tensor cores' rate.
/// Not measured yet.
/// </remarks>
internal static class SkinnyLinearKernel<TFormat>
    where TFormat : struct, ITensorFormat
{
    /// <summary>Work-items of a group: four warps.</summary>
    public const int GroupSize = 128;

    /// <summary>Warps, and tiles of 16 lines, of a group.</summary>
    public const int Warps = GroupSize / EmulatedWarp.Size;

    /// <summary>Lines of a group.</summary>
    public const int Lines = Warps * Fragments.Outputs;

    /// <summary>Most rows.</summary>
    public const int Rows = 2 * Fragments.Rows;

    /// <summary>Most rows that the last group normalises: one group takes them one after another.</summary>
    public const int NormedRows = 4;

    private const int LargestSegment = 1024 / Fragments.Block, EightRows = Fragments.Rows * Fragments.BlockBytes;

    public static void Run(TensorLinearArgs args)
    {
        ArrayView<Quad> staged = SharedMemory.Allocate<Quad>(LargestSegment * Rows * Fragments.Loads);
        ArrayView<int> flag = SharedMemory.Allocate<int>(1);
        LinearPart part = args.Part();
        int group = Grid.IdxX - part.FirstGroup, tile = group / part.Segments, segment = group % part.Segments, depth = args.Depth;
        int firstK = segment * part.SegmentBlocks * Fragments.Block;
        int count = IntrinsicMath.Min(part.SegmentBlocks * Fragments.Block, depth - firstK);
        int blocks = (count + Fragments.Block - 1) / Fragments.Block, whole = count / Fragments.Block;
        int lines = StagedRows.Lines(args.X.Rows);
        StagedRows.Fill<TFormat>(args.X, staged, firstK, blocks, lines);
        Group.Barrier();

        int g = Lane.Line, t = Lane.Place, warpTile = tile * Warps + Lane.Warp, line = warpTile * Fragments.Outputs + g;
        long along = sizeof(ushort) * (firstK + Fragments.Load * t); // a short line may end before it
        long upper = Address.OfDevice(ref part.W.Data[part.UpperWeights(warpTile, g, depth)]) + along;
        long lower = Address.OfDevice(ref part.Lower.Data[part.LowerWeights(warpTile, g, depth)]) + along;
        int at = Address.OfShared(ref staged[Fragments.Staged(0, g, t, lines)]), step = lines * Fragments.BlockBytes;
        Sums first = default, second = default;
        for (int four = whole / 4; four > 0; four--)
        {
            Quad u0 = Address.Stream(upper), l0 = Address.Stream(lower);
            Quad u1 = Address.Stream(upper + Fragments.BlockBytes), l1 = Address.Stream(lower + Fragments.BlockBytes);
            Quad u2 = Address.Stream(upper + 2 * Fragments.BlockBytes), l2 = Address.Stream(lower + 2 * Fragments.BlockBytes);
            Quad u3 = Address.Stream(upper + 3 * Fragments.BlockBytes), l3 = Address.Stream(lower + 3 * Fragments.BlockBytes);
            int next = at + 4 * step;
            first = Fragments.Step<TFormat>(first, u0, l0, Address.Load(at));
            first = Fragments.Step<TFormat>(first, u1, l1, Address.Load(at + step));
            first = Fragments.Step<TFormat>(first, u2, l2, Address.Load(at + 2 * step));
            first = Fragments.Step<TFormat>(first, u3, l3, Address.Load(at + 3 * step));
            for (int more = at + EightRows; more < at + step; more += step)
            {
                second = Fragments.Step<TFormat>(second, u0, l0, Address.Load(more));
                second = Fragments.Step<TFormat>(second, u1, l1, Address.Load(more + step));
                second = Fragments.Step<TFormat>(second, u2, l2, Address.Load(more + 2 * step));
                second = Fragments.Step<TFormat>(second, u3, l3, Address.Load(more + 3 * step));
            }

            upper += 4 * Fragments.BlockBytes;
            lower += 4 * Fragments.BlockBytes;
            at = next;
        }

        for (int block = whole / 4 * 4; block < blocks; block++)
        {
            // Past the last input a lane repeats the last eight: their activations are staged as zeros.
            int past = sizeof(ushort) * IntrinsicMath.Max(0, firstK + block * Fragments.Block + Fragments.Load * (t + 1) - depth);
            Quad u = Address.Stream(upper - past), l = Address.Stream(lower - past);
            first = Fragments.Step<TFormat>(first, u, l, Address.Load(at));
            for (int more = at + EightRows; more < at + step; more += step)
            {
                second = Fragments.Step<TFormat>(second, u, l, Address.Load(more));
            }

            upper += Fragments.BlockBytes;
            lower += Fragments.BlockBytes;
            at += step;
        }

        if (part.IsDirect != 0)
        {
            args.Finish(part, Sums.Add(default, first), line, 2 * t);
            args.Finish(part, Sums.Add(default, second), line, Fragments.Rows + 2 * t);
            return;
        }

        args.Keep(part, first, segment, line, 2 * t);
        args.Keep(part, second, segment, line, Fragments.Rows + 2 * t);
        if (!LastGroup.IsLast<CooperativeForm>(ref args.Counters[part.FirstCounter + tile], part.Segments, flag))
        {
            return;
        }

        args.Merge(part, tile * Lines, Lines, 0, Rows, GroupSize);
        if (args.NormKind == FollowingNorm.None)
        {
            return;
        }

        int tiles = (part.Lines + Lines - 1) / Lines;
        if (LastGroup.IsLast<CooperativeForm>(ref args.Counters[tiles], tiles, flag))
        {
            Normalise(args, staged.Cast<float>());
        }
    }

    private static void Normalise(TensorLinearArgs args, ArrayView<float> scratch)
    {
        for (int row = 0; row < args.X.Rows; row++)
        {
            if (args.NormKind == FollowingNorm.Rms)
            {
                NormKernel.RmsRow(args.Norm, row, scratch);
            }
            else
            {
                NormKernel.LayerRow(args.Norm, row, scratch);
            }
        }
    }
}

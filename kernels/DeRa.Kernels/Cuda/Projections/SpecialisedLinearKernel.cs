using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// <see cref="WarpgroupLinearKernel{TFormat}"/> by warps with roles (<see cref="WarpgroupRoles"/>), for sm_90a: a third warpgroup copies, and hands registers over to the
/// two that multiply 64 lines × 128 rows each. Tiles, stages, grid, arguments and the order of products and segments are those of the other kernel, and so are the bits.
/// </summary>
/// <remarks>
/// Bound: as the other kernel, 2·rows·in·out FLOPs and four fifths of the tensor cores' rate by shared memory: [2048, 4096] to 28672 are 481 GFLOP, 0.49 ms at
/// 989 TFLOP/s (H100), 0.61 ms by shared memory. Between stages nothing is idle by design: each multiplying warpgroup begins a stage's products before those of the stage
/// before are done, and a segment's end, some 170 clocks of latency and additions every 2 to 8 stages, is covered by the other one, which does not wait for it. 0.65 ms
/// expected. A stage costs a copying warp some 140 instructions and a multiplying one some 80, in the 1,024 clocks that its products take. Not measured yet.
/// </remarks>
internal static class SpecialisedLinearKernel<TFormat>
    where TFormat : struct, ITensorFormat
{
    /// <summary>Shared memory of a group: the stages, wherever it begins.</summary>
    public const int SharedBytes = WarpgroupRoles.Stages * Warpgroup.StageBytes + Warpgroup.Alignment;

    public static void Run(TensorLinearArgs args)
    {
        ArrayView<Quad> memory = SharedMemory.GetDynamic<Quad>();
        LinearPart part = args.Part();
        LinearTile tile = LinearTile.Of(args, part);
        int segment = part.SegmentBlocks * Fragments.Block / Warpgroup.Depth, most = part.SegmentsPerGroup * segment;
        int begin = tile.Share * most, count = IntrinsicMath.Min(most, StageSource<TFormat>.Stages(args.Depth) - begin);
        int ring = (Warpgroup.SharedAddress(ref memory[0]) + Warpgroup.Alignment - 1) & -Warpgroup.Alignment;

        // Each arm ends the kernel, so that ILGPU has nothing to copy into both.
        if (Group.IdxX >= WarpgroupRoles.Multipliers)
        {
            WarpgroupRoles.BeginCopying();
            Copy(args, part, tile, ring, begin, count);
            return;
        }

        WarpgroupRoles.BeginMultiplying();
        WarpgroupSums total = default;
        for (int number = 0; number < count; number += segment)
        {
            total = WarpgroupSums.Add(total, TFormat.MultiplyStages(ring, number, IntrinsicMath.Min(number + segment, count), count));
        }

        tile.End<WarpgroupSums, MultiplierForm>(args, part, total, memory);
    }

    // A stage is announced when the next one is on its way, so that two are while one is multiplied.
    private static void Copy(TensorLinearArgs args, LinearPart part, LinearTile tile, int ring, int begin, int count)
    {
        int depth = args.Depth, last = StageSource<TFormat>.Stages(depth), share = Group.IdxX - WarpgroupRoles.Multipliers, place = 0;
        StageCopies even = StageSource<TFormat>.Copies(args, part, tile, share), odd = StageSource<TFormat>.Copies(args, part, tile, share + Warpgroup.Size);
        StageStep piece = StageSource<TFormat>.Piece(share);
        WarpgroupRoles.Copy(even, odd, StageSource<TFormat>.Step(piece, ring, begin, last, depth), 0, place);
        for (int number = 1; number < count; number++)
        {
            int before = place;
            place = place == WarpgroupRoles.Stages - 1 ? 0 : place + 1;
            WarpgroupRoles.Copy(even, odd, StageSource<TFormat>.Step(piece, ring + place * Warpgroup.StageBytes, begin + number, last, depth), number, place);
            WarpgroupRoles.Announce(before);
        }

        WarpgroupRoles.AnnounceLast(place);
    }

    /// <summary>The multipliers, without the copiers, who have ended.</summary>
    private readonly struct MultiplierForm : IGroupForm
    {
        public static void Barrier() => WarpgroupRoles.Meet();
    }
}

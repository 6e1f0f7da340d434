using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// <see cref="TiledLinearKernel{TFormat}"/> by wgmma, for sm_90a: a tile of 128 lines × 128 rows by two warpgroups of 64 lines each, stages of 128 inputs,
/// three of them in shared memory. The tensor cores read both operands there. Bits are those of mma.sync where the device rounds both alike, which
/// <see cref="ProductComparison"/> finds out: weights come in pieces of eight bytes and activations are ordered when they are rounded, so that sixteen inputs
/// next to each other there are those of one product by <see cref="Fragments"/>. Grid and arguments are those of the other kernel, but for
/// <see cref="TensorLinearArgs.Rounded"/>, which is <see cref="OrderedRoundKernel{TFormat}"/>'s.
/// </summary>
/// <remarks>
/// Bound: 2·rows·in·out FLOPs; [2048, 4096] to 28672 are 481 GFLOP, 0.49 ms at 989 TFLOP/s (H100). A stage is 1,024 clocks of wgmma (2,048 dense bf16
/// multiply-adds a clock and multiprocessor), in which the tensor cores read 96 KB of shared memory and copies write 64 KB, 1,280 clocks at 128 bytes; and in which 64 KB come
/// through the L2 cache. So shared memory bounds it at four fifths of the tensor cores' rate, 0.61 ms; between stages the tensor cores are idle for the barrier and
/// their own latency, which no copy is part of, some 15 %: 0.7 ms expected. 128 of a work-item's registers are the sums of the present segment and the total, so
/// two warpgroups have the whole register file and a wider tile has no room for both. <see cref="SpecialisedLinearKernel{TFormat}"/> is the form with roles. Not measured yet.
/// </remarks>
internal static class WarpgroupLinearKernel<TFormat>
    where TFormat : struct, ITensorFormat
{
    /// <summary>Shared memory of a group: the stages, wherever it begins.</summary>
    public const int SharedBytes = Stages * Warpgroup.StageBytes + Warpgroup.Alignment;

    private const int Stages = 3, OperandBytes = Warpgroup.StageBytes / 2, StepBlocks = Warpgroup.Depth / Fragments.Block;

    public static void Run(TensorLinearArgs args)
    {
        ArrayView<Quad> memory = SharedMemory.GetDynamic<Quad>();
        LinearPart part = args.Part();
        LinearTile tile = LinearTile.Of(args, part);
        int depth = args.Depth, last = StageSource<TFormat>.Stages(depth), segmentSteps = part.SegmentBlocks / StepBlocks;
        int step = tile.Share * part.SegmentsPerGroup * segmentSteps, end = IntrinsicMath.Min(step + part.SegmentsPerGroup * segmentSteps, last);

        // Stages are filled in turn, each while the one after it is multiplied.
        int first = (Warpgroup.SharedAddress(ref memory[0]) + Warpgroup.Alignment - 1) & -Warpgroup.Alignment;
        int present = first, filled = first + 2 * Warpgroup.StageBytes, ownLines = (Group.IdxX & Warpgroup.Size) * (Warpgroup.Lines * Warpgroup.LineBytes / Warpgroup.Size);
        StageCopies copies = StageSource<TFormat>.Copies(args, part, tile, Group.IdxX);
        StageStep piece = StageSource<TFormat>.Piece(Group.IdxX);
        Warpgroup.Begin(copies, StageSource<TFormat>.Step(piece, first, step, last, depth));
        Warpgroup.Begin(copies, StageSource<TFormat>.Step(piece, first + Warpgroup.StageBytes, step + 1, last, depth));
        WarpgroupSums total = default;
        while (step < end)
        {
            int segmentEnd = IntrinsicMath.Min(step + segmentSteps, end);
            WarpgroupSums sums = default;
            for (; step < segmentEnd; step++)
            {
                Warpgroup.Arrive();
                Group.Barrier(); // this stage has arrived for all, and all are done with the one before, which is filled next
                sums = TFormat.MultiplyStage(
                    sums, Warpgroup.Descriptor(present + ownLines), Warpgroup.Descriptor(present + OperandBytes), copies,
                    StageSource<TFormat>.Step(piece, filled, step + 2, last, depth));
                filled = present;
                present = present == first + 2 * Warpgroup.StageBytes ? first : present + Warpgroup.StageBytes;
            }

            total = WarpgroupSums.Add(total, sums);
        }

        Memory16.WaitForAll();
        tile.End<WarpgroupSums, CooperativeForm>(args, part, total, memory);
    }
}

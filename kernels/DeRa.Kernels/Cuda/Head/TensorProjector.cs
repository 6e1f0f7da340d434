using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// Up to 64 outputs × 16 rows by a group of four warps on tensor cores: weights stream from device memory into registers as in
/// <see cref="SkinnyLinearKernel{TFormat}"/>, activations are rounded into shared memory 256 inputs at a time. One accumulator an output over all
/// inputs, in the order of <see cref="Fragments"/>.
/// </summary>
/// <remarks>
/// Bound: the weights' bytes, once from device memory: the head over up to 16 rows × 128,256 entries × 4,096 inputs, two models in bf16: 2.1 GB, 0.63 ms at
/// 3.35 TB/s (H100). More rows take <see cref="WideHeadKernel{TReference, TAligned}"/>; further sweeps of a cut have groups of the same outputs and other
/// rows follow one another, so that they find those in the L2 cache. Not measured yet.
/// </remarks>
internal readonly struct TensorProjector<TFormat> : IProjector
    where TFormat : struct, ITensorFormat
{
    private const int Lines = 2 * Fragments.Rows, ChunkBlocks = 8, Chunk = ChunkBlocks * Fragments.Block, EightRows = Fragments.Rows * Fragments.BlockBytes;

    public static int Block => Lines;

    public static void Barrier() => Group.Barrier();

    public static ArrayView<float> Scratch() => SharedMemory.Allocate<Quad>(ChunkBlocks * Lines * Fragments.Loads).Cast<float>();

    public static void Rows(
        ArrayView<ushort> w, long wFirst, ArrayView<float> x, long xFirst, int xStride, ProjectionSize size, ArrayView<float> target,
        int targetStride, ArrayView<float> scratch)
    {
        ArrayView<Quad> staged = scratch.Cast<Quad>();
        int g = Lane.Line, t = Lane.Place, depth = size.Stride, output = Lane.Warp * Fragments.Outputs + g;
        int lines = StagedRows.Lines(size.Rows), step = lines * Fragments.BlockBytes;
        var hidden = new MatrixView { Data = x, Offset = xFirst, Rows = size.Rows, Columns = size.Depth, RowStride = xStride };
        LineEnds ends = new()
        {
            Upper = LineEnds.Of(w, wFirst + (long)IntrinsicMath.Min(output, size.Outputs - 1) * depth, depth),
            Lower = LineEnds.Of(w, wFirst + (long)IntrinsicMath.Min(output + 8, size.Outputs - 1) * depth, depth),
        };
        int stage = Address.OfShared(ref staged[Fragments.Staged(0, g, t, lines)]), left = LineEnds.Left(depth);
        Sums first = default, second = default;
        for (int from = 0; from < depth; from += Chunk)
        {
            // An even number of blocks, whatever the depth.
            int pairs = (IntrinsicMath.Min(Chunk, depth - from) + 2 * Fragments.Block - 1) / (2 * Fragments.Block);
            Group.Barrier(); // all are done with the chunk before
            StagedRows.Fill<TFormat>(hidden, staged, from, 2 * pairs, lines);
            Group.Barrier();
            for (int at = stage; pairs > 0; pairs--)
            {
                // Past the last input a lane repeats the last eight: their activations are zeros, as are those of a block past the last.
                Quad u0 = LineEnds.Stream(ends.Upper, left), l0 = LineEnds.Stream(ends.Lower, left);
                left -= Fragments.Block;
                Quad u1 = LineEnds.Stream(ends.Upper, left), l1 = LineEnds.Stream(ends.Lower, left);
                left -= Fragments.Block;
                first = Fragments.Step<TFormat>(first, u0, l0, Address.Load(at));
                first = Fragments.Step<TFormat>(first, u1, l1, Address.Load(at + step));
                for (int more = at + EightRows; more < at + step; more += step)
                {
                    second = Fragments.Step<TFormat>(second, u0, l0, Address.Load(more));
                    second = Fragments.Step<TFormat>(second, u1, l1, Address.Load(more + step));
                }

                at += 2 * step;
            }
        }

        Store(target, targetStride, size, first, output, 2 * t);
        Store(target, targetStride, size, second, output, Fragments.Rows + 2 * t);
        Group.Barrier();
    }

    public static void Columns(
        ArrayView<ushort> w, long wFirst, int wStride, ArrayView<float> x, long xFirst, int xStride, ProjectionSize size,
        ArrayView<float> target, int targetStride)
    {
        // An output projection is stored output-major; the contract refuses others.
    }

    public static TileFold Mix(HeadArgs args, HeadMemory memory, RowTeam team, HeadRow row, int r, int first, bool fold) =>
        HeadScores.MixShare(args, memory, team, row, r, first, fold);

    public static TileFold Best(HeadMemory memory, RowTeam team, HeadRow row, int r, int first, uint least, TileFold sums) =>
        HeadScores.BestOfShare(memory, team, row, r, first, least, sums);

    private static void Store(ArrayView<float> target, int stride, ProjectionSize size, Sums sums, int output, int row)
    {
        Store(target, stride, size, sums.A, output, row);
        Store(target, stride, size, sums.B, output, row + 1);
        Store(target, stride, size, sums.C, output + 8, row);
        Store(target, stride, size, sums.D, output + 8, row + 1);
    }

    private static void Store(ArrayView<float> target, int stride, ProjectionSize size, float sum, int output, int row)
    {
        if (row < size.Rows && output < size.Outputs)
        {
            target[row * stride + output] = sum;
        }
    }
}

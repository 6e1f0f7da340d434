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
    private const int Lines = 2 * Fragments.Rows, ChunkBlocks = 8, Chunk = ChunkBlocks * Fragments.Block;

    public static int Block => Lines;

    public static void Barrier() => Group.Barrier();

    public static ArrayView<float> Scratch() => SharedMemory.Allocate<Quad>(ChunkBlocks * Lines * Fragments.Loads).Cast<float>();

    public static void Rows(
        ArrayView<ushort> w, long wFirst, ArrayView<float> x, long xFirst, int xStride, ProjectionSize size, ArrayView<float> target,
        int targetStride, ArrayView<float> scratch)
    {
        ArrayView<Quad> staged = scratch.Cast<Quad>();
        int g = Lane.Line, t = Lane.Place, depth = size.Stride, output = Group.IdxX / EmulatedWarp.Size * Fragments.Outputs + g;
        int lines = size.Rows > Fragments.Rows ? Lines : Fragments.Rows, step = lines * Fragments.Loads;
        long upper = wFirst + (long)IntrinsicMath.Min(output, size.Outputs - 1) * depth;
        long lower = wFirst + (long)IntrinsicMath.Min(output + 8, size.Outputs - 1) * depth;
        var hidden = new MatrixView { Data = x, Offset = xFirst, Rows = size.Rows, Columns = size.Depth, RowStride = xStride };
        Sums first = default, second = default;
        for (int from = 0; from < depth; from += Chunk)
        {
            int blocks = (IntrinsicMath.Min(Chunk, depth - from) + Fragments.Block - 1) / Fragments.Block;
            Group.Barrier(); // all are done with the chunk before
            Stage(hidden, staged, from, blocks, lines);
            Group.Barrier();
            for (int block = 0; block < blocks; block += 2)
            {
                // Past the last input a lane repeats the last eight: their activations are zeros, as are those of a block past the last.
                int last = depth - Fragments.Load, k0 = from + block * Fragments.Block + Fragments.Load * t;
                int k = IntrinsicMath.Min(k0, last), k1 = IntrinsicMath.Min(k0 + Fragments.Block, last);
                Quad u0 = Memory16.Stream(ref w[upper + k]), l0 = Memory16.Stream(ref w[lower + k]);
                Quad u1 = Memory16.Stream(ref w[upper + k1]), l1 = Memory16.Stream(ref w[lower + k1]);
                int at = Fragments.Staged(block, g, t, lines);
                first = Fragments.Step<TFormat>(first, u0, l0, Memory16.Shared(ref staged[at]));
                first = Fragments.Step<TFormat>(first, u1, l1, Memory16.Shared(ref staged[at + step]));
                for (int more = at + Fragments.Rows * Fragments.Loads; more < at + step; more += step)
                {
                    second = Fragments.Step<TFormat>(second, u0, l0, Memory16.Shared(ref staged[more]));
                    second = Fragments.Step<TFormat>(second, u1, l1, Memory16.Shared(ref staged[more + step]));
                }
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

    // An even number of blocks, whatever the depth.
    private static void Stage(MatrixView x, ArrayView<Quad> staged, int from, int blocks, int lines)
    {
        for (int i = Group.IdxX; i < (blocks + 1) / 2 * 2 * lines * Fragments.Loads; i += Group.DimX)
        {
            int line = i / Fragments.Loads % lines;
            int k = from + i / Fragments.Loads / lines * Fragments.Block + Fragments.Load * (i % Fragments.Loads);
            Quad rounded = default;
            if (line < x.Rows && k < x.Columns)
            {
                rounded = Fragments.Round<TFormat>(x, line, k);
            }

            staged[i] = rounded;
        }
    }

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

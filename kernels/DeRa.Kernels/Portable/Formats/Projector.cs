using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// Projects up to <see cref="Block"/> rows with some outputs of a weight, as a compile-time parameter that stands for a form
/// (<see cref="KernelForm"/>) and a storage type. Every member of the group calls it; results lie in <c>target</c> after the call, one barrier
/// included. The order of an output's sum does not depend on the number of rows or outputs.
/// </summary>
internal interface IProjector : IGroupForm
{
    /// <summary>Most rows of one call.</summary>
    static abstract int Block { get; }

    /// <summary>Shared memory that a call needs.</summary>
    static abstract ArrayView<float> Scratch();

    /// <summary>target[r, o] = Σ_k x[r, k]·w[o, k] for output-major weights, o from 0 to outputs.</summary>
    /// <param name="w">The weight's buffer.</param>
    /// <param name="wFirst">First element of the first output.</param>
    /// <param name="x">Activations.</param>
    /// <param name="xFirst">First element of the first row.</param>
    /// <param name="xStride">Floats between rows.</param>
    /// <param name="size">Depth, outputs, rows and stride.</param>
    /// <param name="target">Shared memory [Block, targetStride].</param>
    /// <param name="targetStride">Floats between the target's rows.</param>
    /// <param name="scratch">What <see cref="Scratch"/> allocated.</param>
    static abstract void Rows(
        ArrayView<ushort> w, long wFirst, ArrayView<float> x, long xFirst, int xStride, ProjectionSize size, ArrayView<float> target,
        int targetStride, ArrayView<float> scratch);

    /// <summary>target[r, o] = Σ_k x[r, k]·w[k, o] for input-major weights whose rows are wStride elements apart.</summary>
    static abstract void Columns(
        ArrayView<ushort> w, long wFirst, int wStride, ArrayView<float> x, long xFirst, int xStride, ProjectionSize size,
        ArrayView<float> target, int targetStride);

    /// <summary>
    /// This work-item's share of a row of the head's tile: projections become the mixture, in both memories, −∞ past the vocabulary; its sums when
    /// wanted.
    /// </summary>
    static abstract TileFold Mix(HeadArgs args, HeadMemory memory, RowTeam team, HeadRow row, int r, int first, bool fold);

    /// <summary>The best s + g of this work-item's share among the scores that are at least <paramref name="least"/>, or the best s if greedy.</summary>
    static abstract TileFold Best(HeadMemory memory, RowTeam team, HeadRow row, int r, int first, uint least, TileFold sums);
}

/// <summary>Extent of one call of an <see cref="IProjector"/>.</summary>
internal struct ProjectionSize
{
    public int Depth;
    public int Outputs;
    public int Rows;

    /// <summary>Elements from an output's weights to the next one's, where they are stored output-major.</summary>
    public int Stride;
}

/// <summary>Constants of the projections here.</summary>
internal static class ProjectionRows
{
    /// <summary>Rows a cooperative group projects at once.</summary>
    public const int Block = 4;

    /// <summary>Floats of shared memory that a projection needs: Block × Block partial sums for each work-item.</summary>
    public const int Scratch = Block * Block * Team.Size;
}

/// <summary>One work-item computes everything, see <see cref="SerialTile"/>.</summary>
internal readonly struct SerialProjector<TFormat> : IProjector
    where TFormat : struct, IWeightFormat
{
    public static int Block => 8;

    public static ArrayView<float> Scratch() => SharedMemory.Allocate<float>(1);

    public static void Barrier()
    {
    }

    public static void Rows(
        ArrayView<ushort> w, long wFirst, ArrayView<float> x, long xFirst, int xStride, ProjectionSize size, ArrayView<float> target,
        int targetStride, ArrayView<float> scratch) =>
        SerialTile.Rows(
            ref w[TFormat.Units * wFirst], ref x[xFirst], ref target[0], size.Depth, size.Outputs, size.Rows, xStride, targetStride, 0,
            Block, TFormat.Code);

    public static void Columns(
        ArrayView<ushort> w, long wFirst, int wStride, ArrayView<float> x, long xFirst, int xStride, ProjectionSize size,
        ArrayView<float> target, int targetStride) =>
        SerialTile.Columns(
            ref w[TFormat.Units * wFirst], ref x[xFirst], ref target[0], size.Depth, size.Outputs, size.Rows, xStride, targetStride, wStride, 0,
            TFormat.Code);

    public static TileFold Mix(HeadArgs args, HeadMemory memory, RowTeam team, HeadRow row, int r, int first, bool fold) =>
        SerialHead.MixRow(args, memory, row, r, first, fold);

    public static TileFold Best(HeadMemory memory, RowTeam team, HeadRow row, int r, int first, uint least, TileFold sums) =>
        SerialHead.BestOfRow(memory, team, row, r, first, least, sums);
}

/// <summary>
/// Sixteen neighbours share an output: each takes every sixteenth block of eight inputs, four outputs and four rows at once in registers, and
/// one work-item adds the sixteen partial sums in order. Eight such teams of sixteen make the group; a smaller
/// power of two does as well.
/// </summary>
internal readonly struct CooperativeProjector<TFormat> : IProjector
    where TFormat : struct, IWeightFormat
{
    private const int Lanes = 16, OutputsPerLane = ProjectionRows.Block;

    public static int Block => ProjectionRows.Block;

    public static ArrayView<float> Scratch() => SharedMemory.Allocate<float>(ProjectionRows.Scratch);

    public static void Barrier() => GroupBarrier.Wait();

    public static void Rows(
        ArrayView<ushort> w, long wFirst, ArrayView<float> x, long xFirst, int xStride, ProjectionSize size, ArrayView<float> target,
        int targetStride, ArrayView<float> scratch)
    {
        int thread = Group.IdxX, lane = thread % Lanes, team = thread / Lanes;
        int outputsPerPass = Group.DimX / Lanes * OutputsPerLane;

        // Past the last row or output a work-item repeats the last one and its sums are dropped: no branches inside.
        long x0 = xFirst, x1 = xFirst + (long)IntrinsicMath.Min(1, size.Rows - 1) * xStride;
        long x2 = xFirst + (long)IntrinsicMath.Min(2, size.Rows - 1) * xStride, x3 = xFirst + (long)(size.Rows - 1) * xStride;
        for (int pass = 0; pass < size.Outputs; pass += outputsPerPass)
        {
            int first = pass + team * OutputsPerLane, last = size.Outputs - 1;
            long w0 = wFirst + (long)IntrinsicMath.Min(first, last) * size.Stride;
            long w1 = wFirst + (long)IntrinsicMath.Min(first + 1, last) * size.Stride;
            long w2 = wFirst + (long)IntrinsicMath.Min(first + 2, last) * size.Stride;
            long w3 = wFirst + (long)IntrinsicMath.Min(first + 3, last) * size.Stride;
            FourRows s0 = default, s1 = default, s2 = default, s3 = default;
            for (int k = 8 * lane; k < size.Depth; k += 8 * Lanes)
            {
                if (k + 8 <= size.Depth)
                {
                    Eight a = LoadEight(x, x0 + k), b = LoadEight(x, x1 + k), c = LoadEight(x, x2 + k), d = LoadEight(x, x3 + k);
                    s0 = FourRows.Add(TFormat.LoadEight(w, w0 + k), a, b, c, d, s0);
                    s1 = FourRows.Add(TFormat.LoadEight(w, w1 + k), a, b, c, d, s1);
                    s2 = FourRows.Add(TFormat.LoadEight(w, w2 + k), a, b, c, d, s2);
                    s3 = FourRows.Add(TFormat.LoadEight(w, w3 + k), a, b, c, d, s3);
                }
                else
                {
                    for (int i = k; i < size.Depth; i++)
                    {
                        float a = x[x0 + i], b = x[x1 + i], c = x[x2 + i], d = x[x3 + i];
                        s0 = FourRows.Add(TFormat.Load(w, w0 + i), a, b, c, d, s0);
                        s1 = FourRows.Add(TFormat.Load(w, w1 + i), a, b, c, d, s1);
                        s2 = FourRows.Add(TFormat.Load(w, w2 + i), a, b, c, d, s2);
                        s3 = FourRows.Add(TFormat.Load(w, w3 + i), a, b, c, d, s3);
                    }
                }
            }

            s0.Store(scratch, 0, thread);
            s1.Store(scratch, 1, thread);
            s2.Store(scratch, 2, thread);
            s3.Store(scratch, 3, thread);
            GroupBarrier.Wait();

            // One sum for each work-item: [output of this pass, row].
            int row = thread % ProjectionRows.Block, output = thread / ProjectionRows.Block;
            if (row < size.Rows && pass + output < size.Outputs)
            {
                int from = (output % OutputsPerLane * ProjectionRows.Block + row) * Team.Size + output / OutputsPerLane * Lanes;
                float sum = 0;
                for (int i = 0; i < Lanes; i++)
                {
                    sum += scratch[from + i];
                }

                target[row * targetStride + pass + output] = sum;
            }

            GroupBarrier.Wait();
        }
    }

    public static void Columns(
        ArrayView<ushort> w, long wFirst, int wStride, ArrayView<float> x, long xFirst, int xStride, ProjectionSize size,
        ArrayView<float> target, int targetStride)
    {
        for (int output = Group.IdxX; output < size.Outputs; output += Group.DimX)
        {
            for (int row = 0; row < size.Rows; row++)
            {
                float sum = 0;
                long at = xFirst + (long)row * xStride;
                for (int k = 0; k < size.Depth; k++)
                {
                    sum += x[at + k] * TFormat.Load(w, wFirst + (long)k * wStride + output);
                }

                target[row * targetStride + output] = sum;
            }
        }

        GroupBarrier.Wait();
    }

    public static TileFold Mix(HeadArgs args, HeadMemory memory, RowTeam team, HeadRow row, int r, int first, bool fold) =>
        HeadScores.MixShare(args, memory, team, row, r, first, fold);

    public static TileFold Best(HeadMemory memory, RowTeam team, HeadRow row, int r, int first, uint least, TileFold sums) =>
        HeadScores.BestOfShare(memory, team, row, r, first, least, sums);

    private static Eight LoadEight(ArrayView<float> x, long element) => WeightEight.Activations(ref x[element]);

    /// <summary>Partial sums of one output for four rows.</summary>
    private struct FourRows
    {
        public float A;
        public float B;
        public float C;
        public float D;

        public static FourRows Add(Eight w, Eight a, Eight b, Eight c, Eight d, FourRows sums) => new()
        {
            A = Eight.Dot(w, a, sums.A),
            B = Eight.Dot(w, b, sums.B),
            C = Eight.Dot(w, c, sums.C),
            D = Eight.Dot(w, d, sums.D),
        };

        public static FourRows Add(float w, float a, float b, float c, float d, FourRows sums) => new()
        {
            A = Fused.MultiplyAdd(w, a, sums.A),
            B = Fused.MultiplyAdd(w, b, sums.B),
            C = Fused.MultiplyAdd(w, c, sums.C),
            D = Fused.MultiplyAdd(w, d, sums.D),
        };

        public readonly void Store(ArrayView<float> scratch, int output, int thread)
        {
            int at = output * ProjectionRows.Block * Team.Size + thread;
            scratch[at] = A;
            scratch[at + Team.Size] = B;
            scratch[at + 2 * Team.Size] = C;
            scratch[at + 3 * Team.Size] = D;
        }
    }
}

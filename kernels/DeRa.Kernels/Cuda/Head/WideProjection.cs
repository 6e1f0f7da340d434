using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// A tile of the vocabulary for up to 64 rows by a group of four warps: every weight is read once and multiplied by all rows. Weights go straight to
/// registers, those of the next 64 inputs while the present ones are multiplied; rounded activations come by asynchronous copies into two stages of shared
/// memory. The order of an output's sum is that of <see cref="TensorProjector{TFormat}"/>, so that a row's bits do not depend on the form.
/// </summary>
internal static class WideProjection<TFormat>
    where TFormat : struct, ITensorFormat
{
    private const int GroupSize = 128, ChunkBlocks = 2, Chunk = ChunkBlocks * Fragments.Block, StageQuads = ChunkBlocks * WideSums.Rows * Fragments.Loads;

    /// <summary>Shared memory of a stage.</summary>
    public static ArrayView<Quad> Stage() => SharedMemory.Allocate<Quad>(StageQuads);

    /// <summary>The sums of this warp's outputs. Called by every member of the group.</summary>
    /// <param name="model">The model.</param>
    /// <param name="rounded">[rows, depth] hidden states in the weight's type, zeros behind them.</param>
    /// <param name="present">A stage.</param>
    /// <param name="next">Another.</param>
    /// <param name="token">First token of the tile.</param>
    /// <param name="outputs">Tokens of the tile.</param>
    /// <param name="firstRow">First row.</param>
    /// <param name="rows">Rows, up to 64.</param>
    public static WideSums Project(
        HeadModelView model, ArrayView<ushort> rounded, ArrayView<Quad> present, ArrayView<Quad> next, int token, int outputs, int firstRow, int rows)
    {
        int depth = model.Output.RowStride, chunks = (depth + Chunk - 1) / Chunk;
        int g = Lane.Line, t = Lane.Place, output = Lane.Warp * Fragments.Outputs + g;
        var weights = new Pointers
        {
            W = model.Output.Data,
            UpperA = Row(model, token, output, outputs, depth),
            LowerA = Row(model, token, output + 8, outputs, depth),
            UpperB = Row(model, token, output + HeadArgs.Part, outputs, depth),
            LowerB = Row(model, token, output + HeadArgs.Part + 8, outputs, depth),
        };
        Group.Barrier(); // all are done with what lay in the stages
        Copy(rounded, present, 0, depth, firstRow, rows);
        Memory16.Commit();
        WideSums sums = default;
        Block first = weights.Load(0, depth), second = weights.Load(Fragments.Block, depth);
        int x = Fragments.Staged(0, g, t, WideSums.Rows);
        for (int chunk = 0; chunk < chunks; chunk++)
        {
            Memory16.WaitForAll();
            Group.Barrier(); // this chunk has arrived for all, and all are done with the one before, whose stage is filled next
            Copy(rounded, next, (chunk + 1) * Chunk, depth, firstRow, rows);
            Memory16.Commit();
            Block nextFirst = weights.Load((chunk + 1) * Chunk, depth), nextSecond = weights.Load((chunk + 1) * Chunk + Fragments.Block, depth);
            sums = WideSums.Step<TFormat>(sums, first.UpperA, first.LowerA, first.UpperB, first.LowerB, present, x);
            sums = WideSums.Step<TFormat>(
                sums, second.UpperA, second.LowerA, second.UpperB, second.LowerB, present, StageQuads / ChunkBlocks + x);
            first = nextFirst;
            second = nextSecond;
            (present, next) = (next, present);
        }

        Memory16.WaitForAll();
        return sums;
    }

    // Outputs past the tile repeat the last one and are dropped.
    private static long Row(HeadModelView model, int token, int output, int outputs, int depth) =>
        model.Output.Offset + (long)(token + IntrinsicMath.Min(output, outputs - 1)) * depth + Fragments.Load * Lane.Place;

    // Past the end of the inputs zeros, the address staying inside; rows past the last repeat it and are dropped.
    private static void Copy(ArrayView<ushort> rounded, ArrayView<Quad> stage, int from, int depth, int firstRow, int rows)
    {
        // A loop, since four copies side by side take the registers that the sums leave: ptxas then spills.
        for (int i = Group.IdxX; i < StageQuads; i += GroupSize)
        {
            int line = (i >> 2) & (WideSums.Rows - 1);
            int k = from + (i >> 8) * Fragments.Block + Fragments.Load * (i & (Fragments.Loads - 1));
            long row = firstRow + IntrinsicMath.Min(line, rows - 1);
            Memory16.Copy16(
                ref stage[i], ref rounded[row * depth + IntrinsicMath.Min(k, depth - Fragments.Load)], Fragments.Bytes(k, depth));
        }
    }

    /// <summary>Where this lane's weights lie.</summary>
    private struct Pointers
    {
        public ArrayView<ushort> W;
        public long UpperA;
        public long LowerA;
        public long UpperB;
        public long LowerB;

        /// <summary>The block from input <paramref name="k"/> on. Past the last input a lane repeats the last eight: their activations are zeros.</summary>
        public readonly Block Load(int k, int depth)
        {
            int inside = IntrinsicMath.Min(k, depth - Fragments.Load - Fragments.Load * Lane.Place);
            return new()
            {
                UpperA = Memory16.Stream(ref W[UpperA + inside]),
                LowerA = Memory16.Stream(ref W[LowerA + inside]),
                UpperB = Memory16.Stream(ref W[UpperB + inside]),
                LowerB = Memory16.Stream(ref W[LowerB + inside]),
            };
        }
    }

    /// <summary>A lane's weights of a block.</summary>
    private struct Block
    {
        public Quad UpperA;
        public Quad LowerA;
        public Quad UpperB;
        public Quad LowerB;
    }
}

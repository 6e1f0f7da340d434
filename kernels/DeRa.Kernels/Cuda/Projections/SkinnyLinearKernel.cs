using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>
/// y = x·Wᵀ (+ bias), or y += …, for 1 to 16 rows. A warp owns 16 outputs of one segment of the inputs: its lanes stream the weights from device memory
/// into registers, 16 bytes a load, eight loads in flight, and multiply by activations that the group rounded into shared memory; rows are padded to 8 or
/// 16, since the weights' bytes set the pace. The last group of a tile of outputs adds the segments in order. Grid: tiles of 64 outputs × segments.
/// </summary>
/// <remarks>
/// Bound: 2·in·out bytes of weights. Expected on 3.35 TB/s (H100): [4096, 4096] 33.6 MB, 10 µs; [28672, 4096] 235 MB, 70 µs; partial sums add
/// 8·segments·rows·out bytes through the L2 cache, 4 MB of 33.6 for 16 rows of the former. At 16 rows 16 FLOP a byte: far below the tensor cores' rate.
/// Not measured yet.
/// </remarks>
internal static class SkinnyLinearKernel<TFormat>
    where TFormat : struct, ITensorFormat
{
    /// <summary>Work-items of a group: four warps.</summary>
    public const int GroupSize = 128;

    /// <summary>Outputs of a group.</summary>
    public const int Outputs = GroupSize / EmulatedWarp.Size * Fragments.Outputs;

    /// <summary>Most rows.</summary>
    public const int Rows = 2 * Fragments.Rows;

    private const int LargestSegment = 1024 / Fragments.Block;

    public static void Run(TensorLinearArgs args)
    {
        ArrayView<Quad> staged = SharedMemory.Allocate<Quad>(LargestSegment * Rows * Fragments.Loads);
        ArrayView<int> flag = SharedMemory.Allocate<int>(1);
        int tile = Grid.IdxX / args.Segments, segment = Grid.IdxX % args.Segments, depth = args.X.Columns;
        int firstK = segment * args.SegmentBlocks * Fragments.Block;
        int count = IntrinsicMath.Min(args.SegmentBlocks * Fragments.Block, depth - firstK);
        int blocks = (count + Fragments.Block - 1) / Fragments.Block, whole = count / Fragments.Block;
        int lines = args.X.Rows > Fragments.Rows ? Rows : Fragments.Rows;
        Stage(args, staged, firstK, blocks, lines);
        Group.Barrier();

        int g = Lane.Line, t = Lane.Place, output = tile * Outputs + Group.IdxX / EmulatedWarp.Size * Fragments.Outputs + g;
        long upper = args.Weights(output) + firstK + Fragments.Load * t, lower = args.Weights(output + 8) + firstK + Fragments.Load * t;
        int x = Fragments.Staged(0, g, t, lines), step = lines * Fragments.Loads;
        Sums first = default, second = default;
        int block = 0;
        for (; block + 4 <= whole; block += 4)
        {
            long k = (long)block * Fragments.Block;
            Quad u0 = Memory16.Stream(ref args.W.Data[upper + k]), l0 = Memory16.Stream(ref args.W.Data[lower + k]);
            Quad u1 = Memory16.Stream(ref args.W.Data[upper + k + 32]), l1 = Memory16.Stream(ref args.W.Data[lower + k + 32]);
            Quad u2 = Memory16.Stream(ref args.W.Data[upper + k + 64]), l2 = Memory16.Stream(ref args.W.Data[lower + k + 64]);
            Quad u3 = Memory16.Stream(ref args.W.Data[upper + k + 96]), l3 = Memory16.Stream(ref args.W.Data[lower + k + 96]);
            int at = x + block * step;
            first = Fragments.Step<TFormat>(first, u0, l0, Memory16.Shared(ref staged[at]));
            first = Fragments.Step<TFormat>(first, u1, l1, Memory16.Shared(ref staged[at + step]));
            first = Fragments.Step<TFormat>(first, u2, l2, Memory16.Shared(ref staged[at + 2 * step]));
            first = Fragments.Step<TFormat>(first, u3, l3, Memory16.Shared(ref staged[at + 3 * step]));
            for (int more = at + Fragments.Rows * Fragments.Loads; more < at + step; more += step)
            {
                second = Fragments.Step<TFormat>(second, u0, l0, Memory16.Shared(ref staged[more]));
                second = Fragments.Step<TFormat>(second, u1, l1, Memory16.Shared(ref staged[more + step]));
                second = Fragments.Step<TFormat>(second, u2, l2, Memory16.Shared(ref staged[more + 2 * step]));
                second = Fragments.Step<TFormat>(second, u3, l3, Memory16.Shared(ref staged[more + 3 * step]));
            }
        }

        for (; block < blocks; block++)
        {
            // Past the last input a lane repeats the last eight: their activations are staged as zeros.
            int k = IntrinsicMath.Min(block * Fragments.Block, depth - Fragments.Load - firstK - Fragments.Load * t);
            Quad u = Memory16.Stream(ref args.W.Data[upper + k]), l = Memory16.Stream(ref args.W.Data[lower + k]);
            int at = x + block * step;
            first = Fragments.Step<TFormat>(first, u, l, Memory16.Shared(ref staged[at]));
            for (int more = at + Fragments.Rows * Fragments.Loads; more < at + step; more += step)
            {
                second = Fragments.Step<TFormat>(second, u, l, Memory16.Shared(ref staged[more]));
            }
        }

        if (args.Segments == 1)
        {
            args.Finish(Sums.Add(default, first), output, 2 * t);
            args.Finish(Sums.Add(default, second), output, Fragments.Rows + 2 * t);
            return;
        }

        args.Keep(first, segment, output, 2 * t);
        args.Keep(second, segment, output, Fragments.Rows + 2 * t);
        if (LastGroup.IsLast<CooperativeForm>(ref args.Counters[tile], args.Segments, flag))
        {
            args.Merge(tile * Outputs, Outputs, 0, Rows);
        }
    }

    private static void Stage(TensorLinearArgs args, ArrayView<Quad> staged, int firstK, int blocks, int lines)
    {
        for (int i = Group.IdxX; i < blocks * lines * Fragments.Loads; i += Group.DimX)
        {
            int place = i % Fragments.Loads, line = i / Fragments.Loads % lines;
            int k = firstK + i / Fragments.Loads / lines * Fragments.Block + Fragments.Load * place;
            Quad rounded = default;
            if (line < args.X.Rows && k < args.X.Columns)
            {
                rounded = Fragments.Round<TFormat>(WeightEight.Activations(ref args.X.Data[args.X.Row(line) + k]));
            }

            staged[i] = rounded;
        }
    }
}

using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>The radix form of <see cref="Cut.Search"/> over sweeps: four steps of eight bits find the threshold's ordered bits.</summary>
internal static class SweepSearch
{
    private const int StepBits = 8, FirstShift = 32 - StepBits;

    /// <summary>The first step of a row's search.</summary>
    public static SweepState Begin(TileFold all, HeadRow row, int stage) => new()
    {
        Fold = all,
        Shift = FirstShift,
        Target = stage == SweepStage.TopK ? row.TopK : Cut.MassTarget(row, all.Scores.Sum),
        Least = Cut.LeastByMinP(row, all.Scores.Max),
    };

    /// <summary>Counts this tile's scores that share the searched prefix by their next eight bits. Called by every member of the group.</summary>
    public static void Count<TForm>(HeadArgs args, HeadMemory memory, int tile, int index, int r)
        where TForm : struct, IGroupForm
    {
        SweepState state = args.States[index];
        int thread = Group.IdxX, threads = Group.DimX;
        for (int bin = thread; bin < 2 * HeadArgs.Bins; bin += threads)
        {
            memory.Histogram[bin] = 0f;
        }

        TForm.Barrier();

        // A work-item owns the bins ≡ its index and sees every score: no atomics, and a fixed order of masses.
        for (int i = 0; i < HeadArgs.Tile; i++)
        {
            float score = memory.Aligned[r * HeadArgs.Tile + i];
            uint bits = OrderedBits.Of(score);
            int bin = (int)((bits >> state.Shift) & (HeadArgs.Bins - 1));
            bool inRange = state.Shift == FirstShift || bits >> (state.Shift + StepBits) == state.Prefix >> (state.Shift + StepBits);
            if (bin % threads == thread && inRange && tile * HeadArgs.Tile + i < args.Vocabulary)
            {
                memory.Histogram[bin] += 1f;
                memory.Histogram[HeadArgs.Bins + bin] += MathF.Exp(score - state.Fold.Scores.Max);
            }
        }

        TForm.Barrier();
        long to = ((long)index * args.Tiles + tile) * 2 * HeadArgs.Bins;
        for (int bin = thread; bin < 2 * HeadArgs.Bins; bin += threads)
        {
            args.Histograms[to + bin] = memory.Histogram[bin];
        }

        TForm.Barrier();
    }

    /// <summary>Adds up the tiles' bins in order and narrows the search, or goes to the next stage. Called by every member of the last group.</summary>
    public static void Advance<TForm>(HeadArgs args, HeadMemory memory, int index, int stage)
        where TForm : struct, IGroupForm
    {
        for (int bin = Group.IdxX; bin < 2 * HeadArgs.Bins; bin += Group.DimX)
        {
            float sum = 0;
            for (int tile = 0; tile < args.Tiles; tile++)
            {
                sum += args.Histograms[((long)index * args.Tiles + tile) * 2 * HeadArgs.Bins + bin];
            }

            memory.Histogram[bin] = sum;
        }

        TForm.Barrier();
        for (int writer = Group.IdxX; writer < 1; writer += Group.DimX)
        {
            SweepState state = args.States[index];
            int weights = stage == SweepStage.TopK ? 0 : HeadArgs.Bins;

            // The lowest bin whose scores have less than the target strictly above the bin.
            int chosen = HeadArgs.Bins - 1;
            while (chosen > 0 && state.Above + memory.Histogram[weights + chosen] < state.Target)
            {
                state.Above += memory.Histogram[weights + chosen];
                state.MassAbove += memory.Histogram[HeadArgs.Bins + chosen];
                chosen--;
            }

            state.Prefix |= (uint)chosen << state.Shift;
            if (state.Shift > 0)
            {
                state.Shift -= StepBits;
            }
            else
            {
                state.Least = state.Prefix > state.Least ? state.Prefix : state.Least;
                HeadRow row = args.Rows[index];
                bool massNext = stage == SweepStage.TopK && row.TopP < 1f;
                state.Target = Cut.MassTarget(row, state.MassAbove + memory.Histogram[HeadArgs.Bins + chosen]);
                state.Prefix = 0;
                state.Above = 0;
                state.MassAbove = 0;
                state.Shift = FirstShift;
                args.Stages[index] = massNext ? SweepStage.TopP : SweepStage.Draw;
            }

            args.States[index] = state;
        }

        TForm.Barrier();
    }
}

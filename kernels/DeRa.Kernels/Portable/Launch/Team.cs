using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>What the work-items of one group do together. Every member of the group calls these; the order of sums is fixed by its size.</summary>
/// <remarks>
/// What only some work-items do before a barrier stands in a loop that runs at most once, never under an if: ILGPU 1.5.3 copies what follows an if into
/// both of its arms, a barrier as well, and the work-items of one group would wait at different barriers, which is undefined everywhere. A loop
/// has one way out.
/// </remarks>
internal static class Team
{
    /// <summary>Work-items of a cooperative group, and the length of the scratch that reductions need.</summary>
    public const int Size = 128;

    /// <summary>Σ over the group of <paramref name="value"/>, by halving, the last halves inside a subgroup where there are any; the group's size is a power of two.</summary>
    public static float Sum<TForm>(ArrayView<float> scratch, float value)
        where TForm : struct, IGroupForm
    {
        int thread = Group.IdxX, width = Subgroup.Width();
        scratch[thread] = value;
        TForm.Barrier();
        for (int half = Group.DimX / 2; half >= width; half /= 2)
        {
            for (int i = thread; i < half; i += Group.DimX)
            {
                scratch[i] += scratch[i + half];
            }

            TForm.Barrier();
        }

        Subgroup.FoldSum(ref scratch[0]);
        TForm.Barrier();
        float sum = scratch[0];
        TForm.Barrier();
        return sum;
    }

    /// <summary>The largest value over the group.</summary>
    public static float Max<TForm>(ArrayView<float> scratch, float value)
        where TForm : struct, IGroupForm
    {
        int thread = Group.IdxX, width = Subgroup.Width();
        scratch[thread] = value;
        TForm.Barrier();
        for (int half = Group.DimX / 2; half >= width; half /= 2)
        {
            for (int i = thread; i < half; i += Group.DimX)
            {
                float other = scratch[i + half];
                scratch[i] = other > scratch[i] ? other : scratch[i];
            }

            TForm.Barrier();
        }

        Subgroup.FoldMax(ref scratch[0]);
        TForm.Barrier();
        float max = scratch[0];
        TForm.Barrier();
        return max;
    }
}

using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// Reads memory once and adds it up: what a device's memory gives. Neighbouring work-items read neighbouring 32 bytes, four such stretches at a time.
/// Bound: the bytes read.
/// </summary>
internal static class ReadProbeKernel
{
    /// <summary>Elements that a work-item reads before it goes on by a whole grid.</summary>
    public const int PerStep = 4 * Each;

    private const int Each = 8;

    public static void Run(ReadProbeArgs args)
    {
        long item = (long)Grid.IdxX * Group.DimX + Group.IdxX, stretch = (long)Each * Group.DimX * Grid.DimX;
        float a = 0, b = 0, c = 0, d = 0;
        for (long i = Each * item; i < args.Count; i += 4 * stretch)
        {
            Eight p = Float32Format.LoadEight(args.Data, i), q = Float32Format.LoadEight(args.Data, i + stretch);
            Eight r = Float32Format.LoadEight(args.Data, i + 2 * stretch), s = Float32Format.LoadEight(args.Data, i + 3 * stretch);
            a = Eight.Sum(p, a);
            b = Eight.Sum(q, b);
            c = Eight.Sum(r, c);
            d = Eight.Sum(s, d);
        }

        args.Sums[item] = a + b + (c + d);
    }

    /// <summary>Every element becomes 1.</summary>
    public static void Fill(ReadProbeArgs args)
    {
        for (long i = (long)Grid.IdxX * Group.DimX + Group.IdxX; i < args.Count; i += (long)Group.DimX * Grid.DimX)
        {
            args.Floats[i] = 1f;
        }
    }
}

/// <summary>Arguments of <see cref="ReadProbeKernel"/>: Count is a multiple of <see cref="ReadProbeKernel.PerStep"/> times the grid's work-items.</summary>
internal struct ReadProbeArgs
{
    public ArrayView<ushort> Data;

    /// <summary>The same memory.</summary>
    public ArrayView<float> Floats;
    public long Count;

    /// <summary>One for each work-item.</summary>
    public ArrayView<float> Sums;
}

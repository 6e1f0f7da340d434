using DeRa.Kernels.Portable;
using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>A row's maximum and sum of weights, for rows g and g + 8 of a lane.</summary>
internal struct RowSums
{
    /// <summary>Stands for −∞ without its arithmetic: e^(Lowest − Lowest) is 1, and weighs a sum of 0.</summary>
    public const float Lowest = -1e30f;

    public float UpperMax;
    public float LowerMax;
    public float UpperSum;
    public float LowerSum;

    public static RowSums Empty() => new() { UpperMax = Lowest, LowerMax = Lowest };
}

/// <summary>
/// Weights and merging. Every multiplication that the compiler could fuse with an addition is an instruction of its own, because the same numbers are
/// merged in registers or through memory, and both must round alike.
/// </summary>
internal static class ChunkSoftmax
{
    /// <summary>Scores become softCap(scale · score), far below all others where the row does not see the position.</summary>
    public static Sums8 Mask(Sums8 s, AttentionArgs args, int first, int upper, int lower)
    {
        int position = first + 2 * Lane.Place;
        s.T0 = Mask(s.T0, args, position, upper, lower);
        s.T1 = Mask(s.T1, args, position + 8, upper, lower);
        s.T2 = Mask(s.T2, args, position + 16, upper, lower);
        s.T3 = Mask(s.T3, args, position + 24, upper, lower);
        s.T4 = Mask(s.T4, args, position + 32, upper, lower);
        s.T5 = Mask(s.T5, args, position + 40, upper, lower);
        s.T6 = Mask(s.T6, args, position + 48, upper, lower);
        s.T7 = Mask(s.T7, args, position + 56, upper, lower);
        return s;
    }

    /// <summary>e^(score − max) where the row sees the position, else 0.</summary>
    public static Sums8 Weigh(Sums8 s, AttentionArgs args, RowSums rows, int first, int upper, int lower)
    {
        int position = first + 2 * Lane.Place;
        s.T0 = Weigh(s.T0, args, rows, position, upper, lower);
        s.T1 = Weigh(s.T1, args, rows, position + 8, upper, lower);
        s.T2 = Weigh(s.T2, args, rows, position + 16, upper, lower);
        s.T3 = Weigh(s.T3, args, rows, position + 24, upper, lower);
        s.T4 = Weigh(s.T4, args, rows, position + 32, upper, lower);
        s.T5 = Weigh(s.T5, args, rows, position + 40, upper, lower);
        s.T6 = Weigh(s.T6, args, rows, position + 48, upper, lower);
        s.T7 = Weigh(s.T7, args, rows, position + 56, upper, lower);
        return s;
    }

    /// <summary>The larger of the values of the four lanes that share a row.</summary>
    public static float RowMax(float value)
    {
        value = IntrinsicMath.Max(value, Lane.Exchange(value, 1));
        return IntrinsicMath.Max(value, Lane.Exchange(value, 2));
    }

    /// <summary>What earlier chunks and the next one are multiplied by when they are merged.</summary>
    public static MergeScales Scales(RowSums before, RowSums next)
    {
        float upper = IntrinsicMath.Max(before.UpperMax, next.UpperMax), lower = IntrinsicMath.Max(before.LowerMax, next.LowerMax);
        return new()
        {
            UpperBefore = Rounded.Exp(before.UpperMax - upper),
            UpperNext = Rounded.Exp(next.UpperMax - upper),
            LowerBefore = Rounded.Exp(before.LowerMax - lower),
            LowerNext = Rounded.Exp(next.LowerMax - lower),
        };
    }

    /// <summary>Maximum and sum over both.</summary>
    public static RowSums Merge(RowSums before, RowSums next, MergeScales scales) => new()
    {
        UpperMax = IntrinsicMath.Max(before.UpperMax, next.UpperMax),
        LowerMax = IntrinsicMath.Max(before.LowerMax, next.LowerMax),
        UpperSum = Scale(before.UpperSum, scales.UpperBefore, next.UpperSum, scales.UpperNext),
        LowerSum = Scale(before.LowerSum, scales.LowerBefore, next.LowerSum, scales.LowerNext),
    };

    /// <summary>Outputs over both.</summary>
    public static Sums8 Merge(Sums8 before, Sums8 next, MergeScales scales) => new()
    {
        T0 = Merge(before.T0, next.T0, scales),
        T1 = Merge(before.T1, next.T1, scales),
        T2 = Merge(before.T2, next.T2, scales),
        T3 = Merge(before.T3, next.T3, scales),
        T4 = Merge(before.T4, next.T4, scales),
        T5 = Merge(before.T5, next.T5, scales),
        T6 = Merge(before.T6, next.T6, scales),
        T7 = Merge(before.T7, next.T7, scales),
    };

    private static Sums Merge(Sums before, Sums next, MergeScales scales) => new()
    {
        A = Scale(before.A, scales.UpperBefore, next.A, scales.UpperNext),
        B = Scale(before.B, scales.UpperBefore, next.B, scales.UpperNext),
        C = Scale(before.C, scales.LowerBefore, next.C, scales.LowerNext),
        D = Scale(before.D, scales.LowerBefore, next.D, scales.LowerNext),
    };

    private static float Scale(float before, float scaleBefore, float next, float scaleNext) =>
        Rounded.MultiplyAdd(next, scaleNext, Rounded.Multiply(before, scaleBefore));

    private static Sums Mask(Sums s, AttentionArgs args, int position, int upper, int lower) => new()
    {
        A = Mask(s.A, args, position, upper),
        B = Mask(s.B, args, position + 1, upper),
        C = Mask(s.C, args, position, lower),
        D = Mask(s.D, args, position + 1, lower),
    };

    private static float Mask(float score, AttentionArgs args, int position, int row)
    {
        float scaled = Rounded.Multiply(score, args.Scale);
        if (args.SoftCap > 0)
        {
            scaled = ActivationMath.SoftCap(scaled, args.SoftCap);
        }

        return Rounded.MultiplyAdd(1f - Visible(args, position, row), RowSums.Lowest, scaled);
    }

    private static Sums Weigh(Sums s, AttentionArgs args, RowSums rows, int position, int upper, int lower) => new()
    {
        A = Rounded.Multiply(Rounded.Exp(s.A - rows.UpperMax), Visible(args, position, upper)),
        B = Rounded.Multiply(Rounded.Exp(s.B - rows.UpperMax), Visible(args, position + 1, upper)),
        C = Rounded.Multiply(Rounded.Exp(s.C - rows.LowerMax), Visible(args, position, lower)),
        D = Rounded.Multiply(Rounded.Exp(s.D - rows.LowerMax), Visible(args, position + 1, lower)),
    };

    // 1 for row − window < position ≤ row, else 0, without a branch; windows are at most 2^30, so nothing overflows.
    private static float Visible(AttentionArgs args, int position, int row) =>
        IntrinsicMath.Clamp(row - position + 1, 0, 1) * IntrinsicMath.Clamp(position - row + args.Window, 0, 1);
}

/// <summary>Factors of a merge, for rows g and g + 8.</summary>
internal struct MergeScales
{
    public float UpperBefore;
    public float UpperNext;
    public float LowerBefore;
    public float LowerNext;
}

using ILGPU;

namespace DeRa.Kernels.Cuda;

/// <summary>A warp's 16 × 64 tile as eight tiles of 16 × 8, by name so that it stays in registers.</summary>
internal struct Sums8
{
    public Sums T0;
    public Sums T1;
    public Sums T2;
    public Sums T3;
    public Sums T4;
    public Sums T5;
    public Sums T6;
    public Sums T7;

    /// <summary>The largest element of the lane's row g; of row g + 8 with <paramref name="lower"/>.</summary>
    public readonly float Largest(bool lower)
    {
        float a = Larger(T0, T1, lower), b = Larger(T2, T3, lower), c = Larger(T4, T5, lower), d = Larger(T6, T7, lower);
        return IntrinsicMath.Max(IntrinsicMath.Max(a, b), IntrinsicMath.Max(c, d));
    }

    private static float Larger(Sums x, Sums y, bool lower) => lower
        ? IntrinsicMath.Max(IntrinsicMath.Max(x.C, x.D), IntrinsicMath.Max(y.C, y.D))
        : IntrinsicMath.Max(IntrinsicMath.Max(x.A, x.B), IntrinsicMath.Max(y.A, y.B));
}

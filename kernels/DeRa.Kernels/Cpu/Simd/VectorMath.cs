using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>
/// Elementary functions of eight floats. The polynomials were interpolated at Chebyshev nodes in float64; the error beside each is that of the
/// polynomial with float32 coefficients.
/// </summary>
internal static class VectorMath
{
    /// <summary>
    /// e^x within 2 ulp: x = n·ln 2 + r with |r| ≤ ln 2 / 2, e^r = 1 + r + r²·P(r) (relative error 1e-8), times 2^n in two factors so that
    /// subnormal results come out. −∞ gives 0, +∞ gives ∞, NaN stays.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Exp(Vector256<float> x)
    {
        // Below −104 the result rounds to 0, above 89 it overflows. The operand order of the native forms keeps NaN.
        x = Vector256.MinNative(Vector256.Create(89f), Vector256.MaxNative(Vector256.Create(-104f), x));
        Vector256<float> n = Vector256.Round(x * 1.44269504f);
        Vector256<float> r = Lanes.MultiplyAdd(n, Vector256.Create(-0.693359375f), x); // ln 2 in two parts, the first with 10 bits: exact products
        r = Lanes.MultiplyAdd(n, Vector256.Create(2.12194440e-4f), r);
        Vector256<float> p = Vector256.Create(0.00139261759f);
        p = Lanes.MultiplyAdd(p, r, Vector256.Create(0.00836317334f));
        p = Lanes.MultiplyAdd(p, r, Vector256.Create(0.0416665561f));
        p = Lanes.MultiplyAdd(p, r, Vector256.Create(0.166665778f));
        p = Lanes.MultiplyAdd(p, r, Vector256.Create(0.5f));
        Vector256<float> value = Lanes.MultiplyAdd(p, r * r, r) + Vector256<float>.One;
        Vector256<int> power = Vector256.ConvertToInt32Native(n);
        Vector256<int> half = power >> 1;
        return value * PowerOfTwo(half) * PowerOfTwo(power - half);
    }

    /// <summary>Sixteen lanes of <see cref="Exp(Vector256{float})"/>: the same operations, so the same bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        x = Vector512.MinNative(Vector512.Create(89f), Vector512.MaxNative(Vector512.Create(-104f), x));
        Vector512<float> n = Vector512.Round(x * 1.44269504f);
        Vector512<float> r = Lanes.MultiplyAdd(n, Vector512.Create(-0.693359375f), x);
        r = Lanes.MultiplyAdd(n, Vector512.Create(2.12194440e-4f), r);
        Vector512<float> p = Vector512.Create(0.00139261759f);
        p = Lanes.MultiplyAdd(p, r, Vector512.Create(0.00836317334f));
        p = Lanes.MultiplyAdd(p, r, Vector512.Create(0.0416665561f));
        p = Lanes.MultiplyAdd(p, r, Vector512.Create(0.166665778f));
        p = Lanes.MultiplyAdd(p, r, Vector512.Create(0.5f));
        Vector512<float> value = Lanes.MultiplyAdd(p, r * r, r) + Vector512<float>.One;
        Vector512<int> power = Vector512.ConvertToInt32Native(n);
        Vector512<int> half = power >> 1;
        return value * PowerOfTwo(half) * PowerOfTwo(power - half);
    }

    /// <summary>1 / (1 + e^−x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Sigmoid(Vector256<float> x) =>
        Vector256<float>.One / (Vector256<float>.One + Exp(-x));

    /// <summary>tanh x = x + x³·P(x²) below 0.625 (error 2e-8), else 1 − 2 / (e^2|x| + 1) with the sign of x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Tanh(Vector256<float> x)
    {
        Vector256<float> u = x * x;
        Vector256<float> p = Vector256.Create(-0.00609671418f);
        p = Lanes.MultiplyAdd(p, u, Vector256.Create(0.0209971797f));
        p = Lanes.MultiplyAdd(p, u, Vector256.Create(-0.0538509078f));
        p = Lanes.MultiplyAdd(p, u, Vector256.Create(0.133327693f));
        p = Lanes.MultiplyAdd(p, u, Vector256.Create(-0.333333284f));
        Vector256<float> near = Lanes.MultiplyAdd(p * u, x, x);
        Vector256<float> size = Vector256.Abs(x);
        Vector256<float> far = Vector256<float>.One - Vector256.Create(2f) / (Exp(size + size) + Vector256<float>.One);
        return Vector256.ConditionalSelect(Vector256.LessThan(size, Vector256.Create(0.625f)), near, Vector256.CopySign(far, x));
    }

    /// <summary>
    /// Φ(x) = ½·(1 + erf(x/√2)). With t = |x|/√2: erf(t) = t + t·P(t²) below 1 (error 7e-8 of erf), else erfc(t) = e^Q(t) (absolute error 5e-8),
    /// which keeps the left tail free of cancellation; past 4, where erfc is below 2e-8, Q continues as −t² − ln(t·√π) to first order.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> NormalCdf(Vector256<float> x)
    {
        Vector256<float> t = Vector256.Abs(x) * 0.707106781f;
        Vector256<float> u = t * t;
        Vector256<float> p = Vector256.Create(7.87587487e-05f);
        p = Lanes.MultiplyAdd(p, u, Vector256.Create(-0.00080168643f));
        p = Lanes.MultiplyAdd(p, u, Vector256.Create(0.00518908724f));
        p = Lanes.MultiplyAdd(p, u, Vector256.Create(-0.0268542115f));
        p = Lanes.MultiplyAdd(p, u, Vector256.Create(0.112835944f));
        p = Lanes.MultiplyAdd(p, u, Vector256.Create(-0.37612626f));
        p = Lanes.MultiplyAdd(p, u, Vector256.Create(0.128379167f));
        Vector256<float> halfErf = Lanes.MultiplyAdd(p, t, t) * 0.5f;

        Vector256<float> q = Vector256.Create(-1.32723617e-05f);
        q = Lanes.MultiplyAdd(q, t, Vector256.Create(0.000316937017f));
        q = Lanes.MultiplyAdd(q, t, Vector256.Create(-0.0034323514f));
        q = Lanes.MultiplyAdd(q, t, Vector256.Create(0.0226047728f));
        q = Lanes.MultiplyAdd(q, t, Vector256.Create(-0.103281118f));
        q = Lanes.MultiplyAdd(q, t, Vector256.Create(-0.639141262f));
        q = Lanes.MultiplyAdd(q, t, Vector256.Create(-1.12589359f));
        q = Lanes.MultiplyAdd(q, t, Vector256.Create(-0.000765897799f));
        Vector256<float> beyond = Lanes.MultiplyAdd(t, Vector256.Create(-0.25f), Vector256.Create(-0.99f)) - u;
        Vector256<float> halfErfc = Exp(Vector256.ConditionalSelect(Vector256.LessThan(t, Vector256.Create(4f)), q, beyond)) * 0.5f;

        Vector256<float> positive = Vector256.GreaterThan(x, Vector256<float>.Zero);
        Vector256<float> near = Vector256.Create(0.5f) + Vector256.CopySign(halfErf, x);
        Vector256<float> far = Vector256.ConditionalSelect(positive, Vector256<float>.One - halfErfc, halfErfc);
        return Vector256.ConditionalSelect(Vector256.LessThan(t, Vector256<float>.One), near, far);
    }

    /// <summary>The bits of 2^n for −126 ≤ n ≤ 127.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> PowerOfTwo(Vector256<int> n) => ((n + Vector256.Create(127)) << 23).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> PowerOfTwo(Vector512<int> n) => ((n + Vector512.Create(127)) << 23).AsSingle();
}

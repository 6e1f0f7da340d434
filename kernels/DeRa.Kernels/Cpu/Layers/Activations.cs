using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Kernels.Cpu;

/// <summary>An element-wise function of <see cref="ActivationKind"/>, a type each so that loops are compiled per function.</summary>
internal interface IActivation
{
    /// <summary>The function of eight elements.</summary>
    static abstract Vector256<float> Apply(Vector256<float> x);
}

/// <summary>x · sigmoid(x).</summary>
internal readonly struct Silu : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Apply(Vector256<float> x) => x / (Vector256<float>.One + VectorMath.Exp(-x));
}

/// <summary>x · Φ(x).</summary>
internal readonly struct Gelu : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Apply(Vector256<float> x) => x * VectorMath.NormalCdf(x);
}

/// <summary>½·x·(1 + tanh u) = x · sigmoid(2u) with u = √(2/π)·(x + 0.044715 x³): no cancellation on the left.</summary>
internal readonly struct GeluTanh : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Apply(Vector256<float> x)
    {
        Vector256<float> twice = x * 1.59576912f * Lanes.MultiplyAdd(x * x, Vector256.Create(0.044715f), Vector256<float>.One);
        return x / (Vector256<float>.One + VectorMath.Exp(-twice));
    }
}

/// <summary>x · sigmoid(1.702 x).</summary>
internal readonly struct QuickGelu : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Apply(Vector256<float> x) => x / (Vector256<float>.One + VectorMath.Exp(x * -1.702f));
}

/// <summary>max(x, 0).</summary>
internal readonly struct Relu : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Apply(Vector256<float> x) => Vector256.Max(x, Vector256<float>.Zero);
}

/// <summary>max(x, 0)².</summary>
internal readonly struct Relu2 : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Apply(Vector256<float> x)
    {
        Vector256<float> positive = Vector256.Max(x, Vector256<float>.Zero);
        return positive * positive;
    }
}

/// <summary>tanh(x).</summary>
internal readonly struct Tanh : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Apply(Vector256<float> x) => VectorMath.Tanh(x);
}

/// <summary>sigmoid(x).</summary>
internal readonly struct Sigmoid : IActivation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Apply(Vector256<float> x) => VectorMath.Sigmoid(x);
}

namespace DeRa.Kernels.Verification;

/// <summary>The functions of <see cref="ActivationKind"/> in float64, Gelu by an exact error function.</summary>
public static class ActivationOracle
{
    /// <summary>activation(x).</summary>
    public static double Apply(ActivationKind kind, double x) => kind switch
    {
        ActivationKind.Silu => x * Sigmoid(x),
        ActivationKind.Gelu => 0.5 * x * (1 + SpecialFunctions.Erf(x / Math.Sqrt(2))),
        ActivationKind.GeluTanh => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
        ActivationKind.QuickGelu => x * Sigmoid(1.702 * x),
        ActivationKind.Relu => Math.Max(x, 0),
        ActivationKind.Relu2 => Math.Max(x, 0) * Math.Max(x, 0),
        ActivationKind.Tanh => Math.Tanh(x),
        ActivationKind.Sigmoid => Sigmoid(x),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such activation"),
    };

    /// <summary>
    /// ε of activation(x): those with e^x inherit its error relative to the result; Gelu and tanh are computed as 1 ± a term near 1, which leaves
    /// an absolute error of a few u (times |x| for Gelu); Relu copies and its square rounds once.
    /// </summary>
    public static double Error(ActivationKind kind, double x) => kind switch
    {
        ActivationKind.Silu or ActivationKind.Sigmoid => Rounding.Exp(x) * Math.Abs(Apply(kind, x)) + Rounding.SmallestNormal,
        ActivationKind.QuickGelu => Rounding.Exp(2 * 1.702 * x) * Math.Abs(Apply(kind, x)) + Rounding.SmallestNormal,
        ActivationKind.Gelu or ActivationKind.GeluTanh => 8 * Rounding.Unit * Math.Abs(x),
        ActivationKind.Tanh => 8 * Rounding.Unit,
        ActivationKind.Relu => 0,
        _ => Rounding.Unit * Apply(kind, x),
    };

    /// <summary>activation of every element.</summary>
    /// <param name="x">[rows, columns].</param>
    /// <param name="kind">Which.</param>
    public static Expected Compute(double[,] x, ActivationKind kind) =>
        Expected.Of(x.GetLength(0), x.GetLength(1), (t, i) => (Apply(kind, x[t, i]), Error(kind, x[t, i])));

    /// <summary>y[t, i] = activation(x[t, i]) · x[t, n + i].</summary>
    /// <param name="gateUp">[rows, 2n].</param>
    /// <param name="kind">Which.</param>
    public static Expected ComputeGated(double[,] gateUp, ActivationKind kind)
    {
        int n = gateUp.GetLength(1) / 2;
        return Expected.Of(gateUp.GetLength(0), n, (t, i) =>
        {
            double gate = Apply(kind, gateUp[t, i]), up = gateUp[t, n + i];
            return (gate * up, (Error(kind, gateUp[t, i]) + Rounding.Unit * Math.Abs(gate)) * Math.Abs(up));
        });
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}

using System.Numerics;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Model;

/// <summary>y = silu(gate) ⊙ up with silu(g) = g·σ(g) (Shazeer, 2020).</summary>
internal static class GatedActivation
{
    /// <summary>Writes y for the first <paramref name="count"/> elements.</summary>
    public static void Forward<T>(Workers workers, T[] gate, T[] up, T[] y, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        workers.ForRanges(count, (first, end) =>
        {
            for (int i = first; i < end; i++)
                y[i] = gate[i] * Sigmoid(gate[i]) * up[i];
        });

    /// <summary>dUp = dy·silu(g); dGate = dy·up·σ(g)·(1 + g·(1 − σ(g))).</summary>
    public static void Backward<T>(Workers workers, T[] dy, T[] gate, T[] up, T[] dGate, T[] dUp, int count)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        workers.ForRanges(count, (first, end) =>
        {
            for (int i = first; i < end; i++)
            {
                T sigmoid = Sigmoid(gate[i]);
                dUp[i] = dy[i] * gate[i] * sigmoid;
                dGate[i] = dy[i] * up[i] * sigmoid * (T.One + gate[i] * (T.One - sigmoid));
            }
        });

    private static T Sigmoid<T>(T x)
        where T : IBinaryFloatingPointIeee754<T> => T.One / (T.One + T.Exp(-x));
}

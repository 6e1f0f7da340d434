using System.Numerics;
using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Training.Privacy;

/// <summary>
/// W = W₀ + B·A with a small inner dimension (Hu et al., 2022). The model keeps W merged, so its passes stay as they are: dB = dW·Aᵀ and dA = Bᵀ·dW.
/// B starts at zero, and W at W₀.
/// </summary>
internal sealed class LowRankAdapter<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Parameter<T> weight;
    private readonly T[] original;

    /// <summary>Adapts a matrix of a model.</summary>
    /// <param name="weight">[out, in].</param>
    /// <param name="rank">Inner dimension.</param>
    /// <param name="random">For A, normal with deviation 1/√in.</param>
    public LowRankAdapter(Parameter<T> weight, int rank, DeterministicRandom random)
    {
        this.weight = weight;
        original = [.. weight.Value];
        B = new(weight.Name + ".lora_B", [weight.Shape[0], rank]);
        A = new(weight.Name + ".lora_A", [rank, weight.Shape[1]]);
        for (int i = 0; i < A.Value.Length; i++)
            A.Value[i] = T.CreateChecked(random.NextGaussian() / Math.Sqrt(weight.Shape[1]));
    }

    /// <summary>[out, rank].</summary>
    public Parameter<T> B { get; }

    /// <summary>[rank, in].</summary>
    public Parameter<T> A { get; }

    /// <summary>Sets the model's matrix to W₀ + B·A.</summary>
    public void Merge(Workers workers)
    {
        original.CopyTo(weight.Value, 0);
        Gemm.Multiply(workers, View(B), View(A), weight.Value, accumulate: true);
    }

    /// <summary>Sets the gradients of A and B from that of the model's matrix.</summary>
    public void Project(Workers workers)
    {
        Matrix<T> gradient = new(weight.Gradient, weight.Shape[0], weight.Shape[1]);
        Gemm.Multiply(workers, gradient, View(A).Transposed, B.Gradient);
        Gemm.Multiply(workers, View(B).Transposed, gradient, A.Gradient);
    }

    private static Matrix<T> View(Parameter<T> parameter) => new(parameter.Value, parameter.Shape[0], parameter.Shape[1]);
}

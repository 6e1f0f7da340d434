using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Training.Privacy;

/// <summary>
/// The gradient of DP-SGD (Abadi et al., 2016): Σ_i g_i·min(1, C/‖g_i‖) over examples, plus Gaussian noise of deviation σ·C in every coordinate, over the
/// expected number of examples. ‖·‖ is taken over all parameters together.
/// </summary>
internal sealed class ClippedSum
{
    private readonly IReadOnlyList<Parameter<float>> parameters;
    private readonly double clippingNorm;
    private readonly double[][] sums;

    /// <summary>A sum of zero.</summary>
    public ClippedSum(IReadOnlyList<Parameter<float>> parameters, double clippingNorm)
    {
        this.parameters = parameters;
        this.clippingNorm = clippingNorm;
        sums = [.. parameters.Select(p => new double[p.Value.Length])];
    }

    /// <summary>Adds the parameters' present gradient, one example's, clipped.</summary>
    /// <returns>Its norm before it was clipped.</returns>
    public double Add()
    {
        double norm = Math.Sqrt(parameters.Sum(p => p.Gradient.Sum(g => (double)g * g)));
        double scale = Math.Min(1, clippingNorm / Math.Max(norm, double.Epsilon));
        for (int p = 0; p < sums.Length; p++)
        {
            float[] gradient = parameters[p].Gradient;
            for (int i = 0; i < gradient.Length; i++)
                sums[p][i] += scale * gradient[i];
        }

        return norm;
    }

    /// <summary>Adds noise, sets the parameters' gradients to the result and starts again from zero.</summary>
    /// <param name="noise">σ; 0 adds none.</param>
    /// <param name="expectedExamples">q·N: the number that came does not enter, since it would tell about the data.</param>
    /// <param name="random">The noise.</param>
    public void Release(double noise, double expectedExamples, DeterministicRandom random)
    {
        for (int p = 0; p < sums.Length; p++)
        {
            for (int i = 0; i < sums[p].Length; i++)
            {
                double added = noise > 0 ? noise * clippingNorm * random.NextGaussian() : 0;
                parameters[p].Gradient[i] = (float)((sums[p][i] + added) / expectedExamples);
            }

            Array.Clear(sums[p]);
        }
    }
}

using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Training;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019) and a limit on the gradient's global norm. Decay applies to
/// matrices, not to norm weights.
/// </summary>
internal sealed class AdamW
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.98;
    private const double Epsilon = 1e-8;
    private const double MaxGradientNorm = 1;

    private readonly IReadOnlyList<Parameter<float>> parameters;
    private readonly double weightDecay;
    private readonly float[][] firstMoments;
    private readonly float[][] secondMoments;
    private int step;

    /// <summary>Optimises the given parameters; others of the same model stay frozen.</summary>
    public AdamW(IReadOnlyList<Parameter<float>> parameters, double weightDecay)
    {
        this.parameters = parameters;
        this.weightDecay = weightDecay;
        firstMoments = [.. parameters.Select(p => new float[p.Value.Length])];
        secondMoments = [.. parameters.Select(p => new float[p.Value.Length])];
    }

    /// <summary>Takes one step along the gradients.</summary>
    /// <returns>The gradient's norm before it was limited.</returns>
    public double Step(Workers workers, double learningRate)
    {
        step++;
        double norm = Math.Sqrt(parameters.Sum(p => (double)VectorMath.Dot<float>(p.Gradient, p.Gradient)));
        float clip = (float)Math.Min(1, MaxGradientNorm / (norm + 1e-12));
        float rate = (float)(learningRate * Math.Sqrt(1 - Math.Pow(Beta2, step)) / (1 - Math.Pow(Beta1, step)));
        workers.ForRanges(parameters.Count, (first, end) =>
        {
            for (int p = first; p < end; p++)
            {
                float decay = parameters[p].Shape.Length > 1 ? (float)(learningRate * weightDecay) : 0;
                Update(parameters[p], firstMoments[p], secondMoments[p], clip, rate, decay);
            }
        });
        return norm;
    }

    private static void Update(Parameter<float> parameter, float[] first, float[] second, float clip, float rate, float decay)
    {
        float[] value = parameter.Value, gradient = parameter.Gradient;
        for (int i = 0; i < value.Length; i++)
        {
            float g = gradient[i] * clip;
            first[i] += (float)(1 - Beta1) * (g - first[i]);
            second[i] += (float)(1 - Beta2) * (g * g - second[i]);
            value[i] -= rate * first[i] / (MathF.Sqrt(second[i]) + (float)Epsilon) + decay * value[i];
        }
    }
}

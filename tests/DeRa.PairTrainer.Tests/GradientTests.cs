using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;
using DeRa.PairTrainer.Training;

namespace DeRa.PairTrainer.Tests;

/// <summary>
/// d loss / d w against (loss(w + h) − loss(w − h)) / 2h in float64. The central difference is off by about h²·loss'''/6 + 2⁻⁵³·loss/h:
/// near 1e-10 for h = 1e-5 and a loss of a few nats, so 1e-7 leaves room for large third derivatives and still catches any wrong term.
/// </summary>
public class GradientTests
{
    private const double StepSize = 1e-5;
    private const double Tolerance = 1e-7;
    private const int CheckedPerParameter = 12;

    private static readonly string[] ParameterNames = [.. new LlamaParameters<double>(TinyModel.Config).All.Select(p => p.Name)];

    [TestCaseSource(nameof(ParameterNames))]
    public void Gradient_equals_finite_difference(string name)
    {
        Workers workers = new(2);
        LlamaParameters<double> parameters = TinyModel.Create<double>(seed: 11);
        PackedBatch batch = new(TinyModel.Sequences(12, 7, 1, 10));
        int[] targets = TinyModel.Sequences(13, batch.Tokens.Length)[0];
        DeterministicRandom random = new(14);
        double[] weights = [.. targets.Select((_, i) => i % 5 == 3 ? 0 : random.NextDouble())];
        LlamaPass<double> pass = new(TinyModel.Config, workers);

        double Loss() => CrossEntropy.LossAndGradient(
            workers, pass.Forward(parameters, batch), TinyModel.Config.VocabSize, targets, weights);

        double[] logits = pass.Forward(parameters, batch);
        CrossEntropy.LossAndGradient(workers, logits, TinyModel.Config.VocabSize, targets, weights);
        pass.Backward(parameters, batch, logits);

        Parameter<double> parameter = parameters.All.Single(p => p.Name == name);
        int[] usedRows = [.. batch.Tokens.Distinct()];
        double largest = 0;
        for (int n = 0; n < CheckedPerParameter; n++)
        {
            int i = random.NextInt(parameter.Value.Length);
            if (ReferenceEquals(parameter, parameters.EmbedTokens))
                i = usedRows[n % usedRows.Length] * TinyModel.Config.HiddenSize + random.NextInt(TinyModel.Config.HiddenSize);
            double original = parameter.Value[i];
            parameter.Value[i] = original + StepSize;
            double above = Loss();
            parameter.Value[i] = original - StepSize;
            double below = Loss();
            parameter.Value[i] = original;

            double expected = (above - below) / (2 * StepSize);
            largest = Math.Max(largest, Math.Abs(expected));
            Assert.That(parameter.Gradient[i], Is.EqualTo(expected).Within(Tolerance), $"{name}[{i}]");
        }

        Assert.That(largest, Is.GreaterThan(100 * Tolerance), "every gradient was near zero, so nothing was checked");
    }

    [Test]
    public void Float32_gradient_agrees_with_float64()
    {
        double[] wide = Gradients<double>(new Workers(1));
        double[] narrow = Gradients<float>(new Workers(1));
        double scale = wide.Max(Math.Abs);
        double worst = wide.Zip(narrow, (x, y) => Math.Abs(x - y)).Max();

        // About 200 roundings of 2⁻²⁴ pile up along the longest path of this model.
        Assert.That(worst, Is.LessThan(200 * Math.Pow(2, -24) * scale));
    }

    [Test]
    public void Gradients_do_not_depend_on_the_number_of_threads() =>
        Assert.That(Gradients<float>(new Workers(3)), Is.EqualTo(Gradients<float>(new Workers(1))));

    private static double[] Gradients<T>(Workers workers)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        LlamaParameters<T> parameters = new(TinyModel.Config);
        LlamaParameters<float> source = TinyModel.Create<float>(seed: 21);
        for (int p = 0; p < parameters.All.Count; p++)
        {
            for (int i = 0; i < parameters.All[p].Value.Length; i++)
                parameters.All[p].Value[i] = T.CreateChecked(source.All[p].Value[i]);
        }

        PackedBatch batch = new(TinyModel.Sequences(22, 9, 5));
        LlamaPass<T> pass = new(TinyModel.Config, workers);
        T[] logits = pass.Forward(parameters, batch);
        T[] weights = [.. batch.Tokens.Select(_ => T.One)];
        CrossEntropy.LossAndGradient(workers, logits, TinyModel.Config.VocabSize, TinyModel.Sequences(23, batch.Tokens.Length)[0], weights);
        pass.Backward(parameters, batch, logits);
        return [.. parameters.All.SelectMany(p => p.Gradient).Select(double.CreateChecked)];
    }
}

using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;
using DeRa.PairTrainer.Training;
using DeRa.PairTrainer.Training.Privacy;

namespace DeRa.PairTrainer.Tests;

/// <summary>
/// −log σ(β·m), m = (log π(c) − log ρ(c)) − (log π(r) − log ρ(r)), and its gradient through the model against central differences in float64; the
/// tolerance is that of <see cref="GradientTests"/>.
/// </summary>
public class PreferenceLossTests
{
    private const double StepSize = 1e-5;
    private const double Tolerance = 1e-7;
    private const double Beta = 0.7;

    private static readonly Workers Threads = new(2);
    private static readonly PreferencePair[] Pairs = DrawPairs();
    private static readonly PreferenceBatch Batch = new(Pairs);
    private static readonly string[] ParameterNames = ["model.layers.0.self_attn.q_proj.weight", "model.layers.1.mlp.down_proj.weight", "model.norm.weight"];

    private readonly LlamaParameters<double> reference = TinyModel.Create<double>(seed: 91);
    private readonly LlamaParameters<double> policy = TinyModel.Create<double>(seed: 92);
    private readonly LlamaPass<double> pass = new(TinyModel.Config, Threads);

    [Test]
    public void Likelihoods_are_those_of_the_responses_token_by_token()
    {
        double[] likelihoods = Likelihoods(policy);
        for (int s = 0; s < likelihoods.Length; s++)
        {
            PreferencePair pair = Pairs[s / 2];
            int[] response = s % 2 == 0 ? pair.Chosen : pair.Rejected;
            double expected = 0;
            for (int t = 0; t < response.Length; t++)
            {
                int[] before = [.. pair.Prompt, .. response[..t]];
                double[] row = pass.Forward(policy, new PackedBatch([before]))[((before.Length - 1) * TinyModel.Config.VocabSize)..(before.Length * TinyModel.Config.VocabSize)];
                expected += row[response[t]] - Math.Log(row.Sum(Math.Exp));
            }

            Assert.That(likelihoods[s], Is.EqualTo(expected).Within(1e-10), $"sequence {s}");
        }
    }

    [Test]
    public void Loss_is_the_formula()
    {
        double[] p = Likelihoods(policy), r = Likelihoods(reference);
        double[] margins = [.. Enumerable.Range(0, Pairs.Length).Select(i => p[2 * i] - r[2 * i] - (p[2 * i + 1] - r[2 * i + 1]))];
        (double loss, double accuracy) = Loss();

        Assert.Multiple(() =>
        {
            Assert.That(loss, Is.EqualTo(margins.Average(m => Math.Log(1 + Math.Exp(-Beta * m)))).Within(1e-12));
            Assert.That(accuracy, Is.EqualTo(margins.Average(m => m > 0 ? 1.0 : 0.0)));
        });
    }

    [Test]
    public void Loss_of_the_reference_is_log_2()
    {
        double[] logits = pass.Forward(reference, Batch.Inputs);
        (double loss, _) = PreferenceLoss.LossAndGradient(Threads, Batch, logits, TinyModel.Config.VocabSize, Likelihoods(reference), Beta);
        Assert.That(loss, Is.EqualTo(Math.Log(2)).Within(1e-12));
    }

    [TestCaseSource(nameof(ParameterNames))]
    public void Gradient_equals_finite_difference(string name)
    {
        Backward();
        Parameter<double> parameter = policy.All.Single(p => p.Name == name);
        CheckAgainstDifferences(parameter, parameter.Gradient, () => { });
    }

    [Test]
    public void Gradient_of_low_rank_adapters_equals_finite_difference()
    {
        LowRankAdapter<double> adapter = new(policy.Layers[1].VProj, rank: 3, new DeterministicRandom(93));
        DeterministicRandom random = new(94);
        for (int i = 0; i < adapter.B.Value.Length; i++)
            adapter.B.Value[i] = 0.3 * random.NextGaussian();
        adapter.Merge(Threads);
        Backward();
        adapter.Project(Threads);

        CheckAgainstDifferences(adapter.A, [.. adapter.A.Gradient], () => adapter.Merge(Threads));
        CheckAgainstDifferences(adapter.B, [.. adapter.B.Gradient], () => adapter.Merge(Threads));
    }

    [Test]
    public void Adapters_change_nothing_before_training()
    {
        double[] before = [.. policy.Layers[0].QProj.Value];
        new LowRankAdapter<double>(policy.Layers[0].QProj, rank: 2, new DeterministicRandom(95)).Merge(Threads);
        Assert.That(policy.Layers[0].QProj.Value, Is.EqualTo(before));
    }

    private double[] Likelihoods(LlamaParameters<double> model) =>
        PreferenceLoss.LogLikelihoods(Threads, Batch, pass.Forward(model, Batch.Inputs), TinyModel.Config.VocabSize);

    private (double Loss, double Accuracy) Loss()
    {
        double[] fixedReference = Likelihoods(reference);
        return PreferenceLoss.LossAndGradient(Threads, Batch, pass.Forward(policy, Batch.Inputs), TinyModel.Config.VocabSize, fixedReference, Beta);
    }

    private void Backward()
    {
        double[] fixedReference = Likelihoods(reference);
        policy.ClearGradients();
        double[] logits = pass.Forward(policy, Batch.Inputs);
        PreferenceLoss.LossAndGradient(Threads, Batch, logits, TinyModel.Config.VocabSize, fixedReference, Beta);
        pass.Backward(policy, Batch.Inputs, logits);
    }

    private void CheckAgainstDifferences(Parameter<double> parameter, double[] gradient, Action changed)
    {
        DeterministicRandom random = new(96);
        double largest = 0;
        for (int n = 0; n < 10; n++)
        {
            int i = random.NextInt(parameter.Value.Length);
            double original = parameter.Value[i];
            double At(double value)
            {
                parameter.Value[i] = value;
                changed();
                return Loss().Loss;
            }

            double expected = (At(original + StepSize) - At(original - StepSize)) / (2 * StepSize);
            At(original);
            largest = Math.Max(largest, Math.Abs(expected));
            Assert.That(gradient[i], Is.EqualTo(expected).Within(Tolerance), $"{parameter.Name}[{i}]");
        }

        Assert.That(largest, Is.GreaterThan(100 * Tolerance), "every gradient was near zero, so nothing was checked");
    }

    private static PreferencePair[] DrawPairs()
    {
        int[][] parts = TinyModel.Sequences(97, 4, 6, 3, 1, 5, 8, 7, 2, 2);
        return [new(parts[0], parts[1], parts[2]), new(parts[3], parts[4], parts[5]), new(parts[6], parts[7], parts[8])];
    }
}

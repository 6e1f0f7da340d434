using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Training.Privacy;

/// <summary>Settings of private preference optimisation.</summary>
/// <param name="Steps">Steps.</param>
/// <param name="ExpectedPairs">Pairs per step on average: each is taken with probability ExpectedPairs / all pairs.</param>
/// <param name="Rank">Inner dimension of the adapters.</param>
/// <param name="ClippingNorm">C.</param>
/// <param name="LearningRate">Of Adam, constant.</param>
/// <param name="Beta">β of the loss.</param>
/// <param name="Epsilon">Budget; null adds no noise and still clips.</param>
/// <param name="Delta">δ of the budget.</param>
/// <param name="Seed">Of sampling, noise and adapters. Privacy needs it to be secret and random; a fixed seed makes the run repeatable instead.</param>
internal sealed record PrivateOptions(
    int Steps, int ExpectedPairs, int Rank, double ClippingNorm, double LearningRate, double Beta, double? Epsilon, double Delta, ulong Seed)
{
    /// <summary>σ for a number of pairs; 0 without a budget.</summary>
    public double Noise(int pairs) =>
        Epsilon is double epsilon ? RenyiAccountant.NoiseFor(epsilon, (double)ExpectedPairs / pairs, Steps, Delta) : 0;
}

/// <summary>Averages over the pairs of one step: the loss, and the share of pairs whose gradient was clipped.</summary>
internal sealed record PrivateStep(double Loss, double Clipped);

/// <summary>
/// Direct preference optimisation by DP-SGD: low-rank adapters on query, value, output and down projections, one backward pass per pair, clipped sum, noise,
/// Adam. A pair is what is protected.
/// </summary>
internal sealed class PrivateOptimization(Workers workers, PrivateOptions options)
{
    /// <summary>Trains <paramref name="policy"/> in place, from the reference; reports after every step.</summary>
    public void Train(
        LlamaParameters<float> policy, LlamaParameters<float> reference, IReadOnlyList<PreferencePair> pairs, Action<int, PrivateStep> report)
    {
        DeterministicRandom initial = new(options.Seed);
        LowRankAdapter<float>[] adapters =
        [
            .. policy.Layers.SelectMany(l => new[] { l.QProj, l.VProj, l.OProj, l.DownProj })
                .Select(weight => new LowRankAdapter<float>(weight, options.Rank, initial)),
        ];
        Parameter<float>[] trained = [.. adapters.SelectMany(adapter => new[] { adapter.B, adapter.A })];
        AdamW optimizer = new(trained, weightDecay: 0);
        ClippedSum sum = new(trained, options.ClippingNorm);
        PairGradient gradient = new(workers, policy, reference, adapters, pairs, (float)options.Beta);
        double noise = options.Noise(pairs.Count);
        double rate = (double)options.ExpectedPairs / pairs.Count;
        for (int step = 0; step < options.Steps; step++)
        {
            DeterministicRandom random = new(options.Seed, 1 + (ulong)step);
            int[] taken = [.. Enumerable.Range(0, pairs.Count).Where(_ => random.NextDouble() < rate)];
            double loss = 0;
            int clipped = 0;
            foreach (int pair in taken)
            {
                loss += gradient.Compute(pair);
                clipped += sum.Add() > options.ClippingNorm ? 1 : 0;
            }

            sum.Release(noise, options.ExpectedPairs, random);
            optimizer.Step(workers, options.LearningRate);
            foreach (LowRankAdapter<float> adapter in adapters)
                adapter.Merge(workers);
            report(step, new PrivateStep(loss / Math.Max(1, taken.Length), (double)clipped / Math.Max(1, taken.Length)));
        }
    }

    /// <summary>The gradient of one pair's loss with respect to the adapters.</summary>
    private sealed class PairGradient(
        Workers workers, LlamaParameters<float> policy, LlamaParameters<float> reference, LowRankAdapter<float>[] adapters,
        IReadOnlyList<PreferencePair> pairs, float beta)
    {
        private readonly LlamaPass<float> pass = new(policy.Config, workers);
        private readonly float[]?[] references = new float[pairs.Count][];  // per pair log ρ of chosen and rejected, once asked for

        public double Compute(int pair)
        {
            PreferenceBatch batch = new([pairs[pair]]);
            int vocab = policy.Config.VocabSize;
            float[] referenceLikelihoods =
                references[pair] ??= PreferenceLoss.LogLikelihoods(workers, batch, pass.Forward(reference, batch.Inputs), vocab);
            policy.ClearGradients();
            float[] logits = pass.Forward(policy, batch.Inputs);
            (float loss, _) = PreferenceLoss.LossAndGradient(workers, batch, logits, vocab, referenceLikelihoods, beta);
            pass.Backward(policy, batch.Inputs, logits);
            foreach (LowRankAdapter<float> adapter in adapters)
                adapter.Project(workers);
            return loss;
        }
    }
}

using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Numerics;

namespace DeRa.PairTrainer.Training;

/// <summary>How the reference of the loss moves during training (Gorbatovski et al., 2024, "Learn Your Reference Model").</summary>
/// <param name="Every">Steps between updates; 0 leaves the reference where it is.</param>
/// <param name="Rate">α in ρ ← α·π + (1 − α)·ρ, over weights; 1 is a hard update.</param>
internal sealed record ReferenceUpdate(int Every, double Rate)
{
    /// <summary>The reference of plain DPO.</summary>
    public static ReferenceUpdate None { get; } = new(0, 0);

    /// <summary>Whether the reference moves after this step, counted from 0.</summary>
    public bool IsDue(int step, int steps) => Every > 0 && (step + 1) % Every == 0 && step + 1 < steps;
}

/// <summary>Settings of preference optimisation.</summary>
internal sealed record PreferenceOptions(int Steps, int PairsPerStep, double PeakLearningRate, double Beta, ulong Seed, ReferenceUpdate Update);

/// <summary>Averages over the pairs of one step: the loss, and the share of pairs that the implicit reward orders as labelled.</summary>
internal sealed record PreferenceStep(double Loss, double Accuracy);

/// <summary>
/// Direct preference optimisation on a fixed set of pairs, with a reference that stays (DPO) or moves (TR-DPO). Embedding and output matrix are
/// frozen, so the models of a pair share them.
/// </summary>
internal sealed class PreferenceOptimization(Workers workers, PreferenceOptions options)
{
    private const int WarmUpSteps = 10;

    /// <summary>Trains <paramref name="policy"/> in place; reports after every step.</summary>
    /// <returns>The reference of the last step: a moved copy, or <paramref name="reference"/> itself.</returns>
    public LlamaParameters<float> Train(
        LlamaParameters<float> policy, LlamaParameters<float> reference, IReadOnlyList<PreferencePair> pairs, Action<int, PreferenceStep> report)
    {
        LlamaPass<float> pass = new(policy.Config, workers);
        AdamW optimizer = new([.. policy.All.Where(p => p != policy.EmbedTokens && p != policy.LmHead)], weightDecay: 0);
        LearningRate schedule = new(options.PeakLearningRate, WarmUpSteps, options.Steps);
        LlamaParameters<float> current = options.Update.Every > 0 ? reference.Clone() : reference;
        for (int step = 0; step < options.Steps; step++)
        {
            DeterministicRandom random = new(options.Seed, (ulong)step);
            PreferenceBatch batch = new([.. Enumerable.Range(0, options.PairsPerStep).Select(_ => random.Pick(pairs))]);
            int vocab = policy.Config.VocabSize;
            float[] referenceLikelihoods = PreferenceLoss.LogLikelihoods(workers, batch, pass.Forward(current, batch.Inputs), vocab);
            policy.ClearGradients();
            float[] logits = pass.Forward(policy, batch.Inputs);
            (float loss, double accuracy) = PreferenceLoss.LossAndGradient(workers, batch, logits, vocab, referenceLikelihoods, (float)options.Beta);
            pass.Backward(policy, batch.Inputs, logits);
            optimizer.Step(workers, schedule.At(step));
            if (options.Update.IsDue(step, options.Steps))
                WeightInterpolation.Blend(current, policy, options.Update.Rate, current);
            report(step, new PreferenceStep(loss, accuracy));
        }

        return current;
    }
}

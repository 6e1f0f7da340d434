using DeRa.PairTrainer.Training;

namespace DeRa.PairTrainer.Experiments;

/// <summary>Settings of the length experiment.</summary>
/// <param name="Policy">Training of every model of it; β is that of λ = 1.</param>
/// <param name="RetrainedLambdas">λ for which a model is trained with β/λ.</param>
internal sealed record LengthOptions(PolicyOptions Policy, double[] RetrainedLambdas)
{
    /// <summary>
    /// What docs/reproduction/length.md reports. No discount and no drift penalty: the objective is the paper's, E[reward] − β·KL.
    /// </summary>
    public static LengthOptions Paper { get; } = new(
        new PolicyOptions(
            Steps: 100, PromptsPerStep: 8, SamplesPerPrompt: 8, PeakLearningRate: 1.5e-3, Beta: 0.1, Discount: 1, DriftPenalty: 0, Seed: 101),
        [0.4, 0.2, 0.6, 2, 1]);

    /// <summary>The same path in a few steps.</summary>
    public static LengthOptions Quick { get; } =
        new(Paper.Policy with { Steps = 2, PromptsPerStep = 2, SamplesPerPrompt = 4, MaxNewTokens = 60 }, [0.4, 2]);
}

/// <summary>
/// Trains the models of the length experiment (paper, section 5.2): "aligned" with KL strength β, and for every λ asked for a model
/// "retrained-λ" with β/λ, each from the reference and with samples of its own. "retrained-1" is "aligned" with other random numbers: how far
/// two trainings of the same thing lie apart.
/// </summary>
internal static class LengthExperiment
{
    /// <summary>Name of the model trained with β/λ.</summary>
    public static string Retrained(double lambda) => FormattableString.Invariant($"retrained-{lambda}");

    /// <summary>Trains what is not there yet.</summary>
    public static void Run(ExperimentFolder folder, LengthOptions options)
    {
        Train(folder, "aligned", options.Policy);
        folder.WriteInterpolations();
        for (int i = 0; i < options.RetrainedLambdas.Length; i++)
        {
            double lambda = options.RetrainedLambdas[i];
            Train(folder, Retrained(lambda), options.Policy with { Beta = options.Policy.Beta / lambda, Seed = options.Policy.Seed + 1 + (ulong)i });
        }
    }

    private static void Train(ExperimentFolder folder, string name, PolicyOptions options) =>
        folder.Train(name, "reward,kl,tokens", (policy, report) =>
            new PolicyGradient(folder.Tokenizer, folder.Workers, options, LengthReward.Score).Train(policy, folder.Reference, (step, outcome) =>
                report(step, options.Steps, [outcome.Reward, outcome.KlPerSequence, outcome.Length])));
}

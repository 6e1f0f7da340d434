using System.Globalization;
using System.Text;
using DeRa.PairTrainer.Training.Privacy;

namespace DeRa.PairTrainer.Experiments;

/// <summary>Settings of the private experiment.</summary>
internal sealed record PrivateExperimentOptions(PrivateOptions Training, double?[] Epsilons, int Pairs, ulong DataSeed)
{
    /// <summary>What docs/reproduction/privacy.md reports; the pairs are those of `dpo`.</summary>
    public static PrivateExperimentOptions Paper { get; } = new(
        new PrivateOptions(
            Steps: 40, ExpectedPairs: 48, Rank: 2, ClippingNorm: 0.5, LearningRate: 1e-2, Beta: PreferenceExperimentOptions.Paper.Training.Beta,
            Epsilon: null, Delta: 1e-4, Seed: 301),
        [null, 8, 2],
        PreferenceExperimentOptions.Paper.TrainingPairs,
        PreferenceExperimentOptions.Paper.DataSeed);

    /// <summary>The same path in a few steps.</summary>
    public static PrivateExperimentOptions Quick { get; } = new(Paper.Training with { Steps = 2, ExpectedPairs = 2 }, [null, 8], Pairs: 8, Paper.DataSeed);
}

/// <summary>Trains one model per privacy budget, "epsilon-ε" or "epsilon-none", and writes the budgets with their noise.</summary>
internal static class PrivateExperiment
{
    /// <summary>Trains what is not there yet.</summary>
    public static void Run(ExperimentFolder folder, PrivateExperimentOptions options)
    {
        StringBuilder budgets = new("model,epsilon,delta,sampling_rate,noise,steps,clipping_norm\n");
        foreach (double? epsilon in options.Epsilons)
        {
            PrivateOptions training = options.Training with { Epsilon = epsilon };
            string name = string.Create(CultureInfo.InvariantCulture, $"epsilon-{(epsilon is null ? "none" : epsilon)}");
            double rate = (double)training.ExpectedPairs / options.Pairs, noise = training.Noise(options.Pairs);
            budgets.Append(CultureInfo.InvariantCulture, $"{name},{epsilon},{training.Delta},{rate},{noise:F4},{training.Steps},{training.ClippingNorm}\n");
            folder.Train(name, "loss,clipped", (policy, report) =>
                new PrivateOptimization(folder.Workers, training).Train(
                    policy, folder.Reference, new PreferenceData(folder).ReadOrDraw(options.Pairs, options.DataSeed), (step, outcome) =>
                        report(step, training.Steps, [outcome.Loss, outcome.Clipped])));
        }

        folder.WriteText("budgets.csv", budgets.ToString());
    }
}

using DeRa.PairTrainer.Model;
using DeRa.PairTrainer.Training;

namespace DeRa.PairTrainer.Experiments;

/// <summary>Settings of the preference experiments.</summary>
internal sealed record PreferenceExperimentOptions(PreferenceOptions Training, int TrainingPairs, int HeldOutPairs, ulong DataSeed)
{
    /// <summary>What docs/reproduction/preferences.md reports.</summary>
    public static PreferenceExperimentOptions Paper { get; } = new(
        new PreferenceOptions(Steps: 70, PairsPerStep: 32, PeakLearningRate: 5e-4, Beta: 0.5, Seed: 201, ReferenceUpdate.None),
        TrainingPairs: 1500,
        HeldOutPairs: 500,
        DataSeed: 202);

    /// <summary>The same path in a few steps.</summary>
    public static PreferenceExperimentOptions Quick { get; } =
        new(Paper.Training with { Steps = 2, PairsPerStep = 2 }, TrainingPairs: 4, HeldOutPairs: 2, DataSeed: 202);
}

/// <summary>Trains models on preference pairs: DPO, and TR-DPO with soft and hard updates of the reference.</summary>
internal static class PreferenceExperiment
{
    /// <summary>Trains "aligned" by DPO, interpolates weights, and writes the held-out pairs.</summary>
    public static void RunDpo(ExperimentFolder folder, PreferenceExperimentOptions options)
    {
        Train(folder, "aligned", options, ReferenceUpdate.None);
        folder.WriteInterpolations();
        PreferenceData data = new(folder);
        PreferencePair[] heldOut = data.ReadOrDraw(options.HeldOutPairs, options.DataSeed + 1);
        folder.WriteText("held-out.jsonl", data.Jsonl(heldOut));
        folder.WriteText("ceiling.txt", FormattableString.Invariant($"{data.Ceiling(heldOut):F4}\n"));
    }

    /// <summary>Trains "soft" and "hard", and keeps the references they end with: "soft-reference" and "hard-reference".</summary>
    public static void RunTrustRegion(ExperimentFolder folder, PreferenceExperimentOptions options)
    {
        Train(folder, "soft", options, new ReferenceUpdate(Every: 1, Rate: 0.03));
        Train(folder, "hard", options, new ReferenceUpdate(Every: Math.Max(1, options.Training.Steps / 4), Rate: 1));
    }

    private static void Train(ExperimentFolder folder, string name, PreferenceExperimentOptions options, ReferenceUpdate update) =>
        folder.Train(name, "loss,accuracy", (policy, report) =>
        {
            PreferencePair[] pairs = new PreferenceData(folder).ReadOrDraw(options.TrainingPairs, options.DataSeed);
            PreferenceOptions training = options.Training with { Update = update };
            LlamaParameters<float> last = new PreferenceOptimization(folder.Workers, training).Train(policy, folder.Reference, pairs, (step, outcome) =>
                report(step, training.Steps, [outcome.Loss, outcome.Accuracy]));
            if (update.Every > 0)
                folder.Write(name + "-reference", last);
        });
}

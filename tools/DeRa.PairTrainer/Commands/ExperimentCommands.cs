using System.CommandLine;
using DeRa.PairTrainer.Experiments;

namespace DeRa.PairTrainer.Commands;

/// <summary>The commands that train the models of docs/reproduction/.</summary>
internal static class ExperimentCommands
{
    private static readonly Option<DirectoryInfo> Output = new("--out")
    {
        Description = "Folder of all experiments: reference/, then a folder for each. Models that are there already are kept.",
        Required = true,
    };

    private static readonly Option<string?> Only = new("--only")
    {
        Description = "Name of the one model to train, so that models can be trained side by side; all of them if left out.",
    };

    /// <summary>One command per experiment.</summary>
    public static IEnumerable<Command> Create() =>
    [
        Experiment(
            "length",
            "The length experiment: a policy at β = 0.1 and policies retrained at β/λ.",
            (folder, quick) => LengthExperiment.Run(folder, quick ? LengthOptions.Quick : LengthOptions.Paper)),
        Experiment(
            "dpo",
            "Direct preference optimisation on pairs of the reference's own answers, and held-out pairs for `dera score`.",
            (folder, quick) => PreferenceExperiment.RunDpo(folder, quick ? PreferenceExperimentOptions.Quick : PreferenceExperimentOptions.Paper)),
        Experiment(
            "private",
            "Preference optimisation by DP-SGD on low-rank adapters, a model per privacy budget.",
            (folder, quick) => PrivateExperiment.Run(folder, quick ? PrivateExperimentOptions.Quick : PrivateExperimentOptions.Paper)),
        Experiment(
            "tr-dpo",
            "The same with a reference that moves during training, softly and hard.",
            (folder, quick) => PreferenceExperiment.RunTrustRegion(folder, quick ? PreferenceExperimentOptions.Quick : PreferenceExperimentOptions.Paper)),
    ];

    private static Command Experiment(string name, string description, Action<ExperimentFolder, bool> run)
    {
        Command command = new(name, description) { Output, Only };
        command.SetAction(parsed =>
        {
            bool quick = parsed.GetValue(TrainerOptions.Quick);
            string? only = parsed.GetValue(Only);
            ExperimentFolder folder = new(
                quick ? Recipe.Quick : Recipe.Study, parsed.GetValue(Output)!.FullName, name, parsed.GetValue(TrainerOptions.Threads), Console.Error, only);
            run(folder, quick);
            if (folder.HasTrained)
                return 0;
            Console.Error.WriteLine($"--only: expected a model of {name}, found '{only}'");
            return 2;
        });
        return command;
    }
}

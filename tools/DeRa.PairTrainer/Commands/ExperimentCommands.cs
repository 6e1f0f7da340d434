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

    /// <summary>One command per experiment.</summary>
    public static IEnumerable<Command> Create() =>
    [
        Experiment(
            "length",
            "The length experiment: a policy at β = 0.1 and policies retrained at β/λ.",
            (folder, quick) => LengthExperiment.Run(folder, quick ? LengthOptions.Quick : LengthOptions.Paper)),
    ];

    private static Command Experiment(string name, string description, Action<ExperimentFolder, bool> run)
    {
        Command command = new(name, description) { Output };
        command.SetAction(parsed =>
        {
            bool quick = parsed.GetValue(TrainerOptions.Quick);
            run(
                new ExperimentFolder(
                    quick ? Recipe.Quick : Recipe.Study,
                    parsed.GetValue(Output)!.FullName,
                    name,
                    parsed.GetValue(TrainerOptions.Threads),
                    Console.Error),
                quick);
        });
        return command;
    }
}

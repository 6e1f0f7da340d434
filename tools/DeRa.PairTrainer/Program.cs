using System.CommandLine;
using DeRa.PairTrainer.Commands;

RootCommand root = new("Trains the demo pair and the models of docs/reproduction/, on a text world of our own; draws the figures there.");
root.Options.Add(TrainerOptions.Quick);
root.Options.Add(TrainerOptions.Threads);
foreach (Command command in PairCommands.Create().Concat(ExperimentCommands.Create()).Concat(FigureCommands.Create()))
    root.Subcommands.Add(command);
return root.Parse(args).Invoke();

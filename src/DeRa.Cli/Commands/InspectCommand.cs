using System.CommandLine;
using DeRa.Checkpoints;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Engine;

namespace DeRa.Cli.Commands;

/// <summary><c>dera inspect</c>: what a checkpoint is, or how two fit together, without loading weights.</summary>
internal sealed class InspectCommand
{
    private readonly Argument<string[]> folders = new("DIR")
    {
        Description = "One model, or the reference and the aligned model of a pair (default: the bundled pair)",
        Arity = new ArgumentArity(0, 2),
    };

    private readonly Option<bool> json = new("--json") { Description = "One JSON line" };

    public static Command Create()
    {
        var command = new Command("inspect", "Show architecture, parameters, dtypes, shared tensors, vocabulary agreement and memory of a model or a pair");
        var flags = new InspectCommand();
        command.Arguments.Add(flags.folders);
        command.Options.Add(flags.json);
        command.SetAction(flags.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        string[] given = parsed.GetValue(folders) is { Length: > 0 } some ? some : [BundledPair.Reference, BundledPair.Aligned];
        Checkpoint[] checkpoints = new Checkpoint[given.Length];
        try
        {
            for (int i = 0; i < given.Length; i++)
            {
                checkpoints[i] = Checkpoint.Open(PairFlags.RequireFolder(given[i]));
            }

            ModelReport[] models = [.. checkpoints.Select((checkpoint, i) => new ModelReport(given[i], checkpoint))];
            PairReport? pair = checkpoints.Length == 2 ? PairReport.Of(checkpoints[0], checkpoints[1], PairText.Load(given[0], given[1])) : null;
            if (parsed.GetValue(json))
            {
                Json.WriteLine(new { models, pair });
            }
            else
            {
                Terminal.Write(InspectTable.Render(models, pair));
            }

            return pair is { Fits: false } ? ExitCode.BadInput : ExitCode.Done;
        }
        finally
        {
            foreach (Checkpoint? checkpoint in checkpoints)
            {
                checkpoint?.Dispose();
            }
        }
    }
}

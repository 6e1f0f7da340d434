using System.CommandLine;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Evaluation;

namespace DeRa.Cli.Commands;

/// <summary><c>dera merge</c>: the shards of a sweep, put together.</summary>
internal sealed class MergeCommand
{
    private readonly Argument<string[]> shards = new("dir") { Description = "Output folders of all shards of one sweep, in any order", Arity = ArgumentArity.OneOrMore, HelpName = "DIR" };
    private readonly Option<string> output = new("--output") { Description = "New folder for the whole", HelpName = "DIR", Required = true };
    private readonly AnalysisFlags analysis = new();
    private readonly Option<bool> json = new("--json") { Description = "Print the summary as JSON" };

    public static Command Create()
    {
        var command = new Command("merge", "Put the shards of a sweep together");
        var flags = new MergeCommand();
        command.Arguments.Add(flags.shards);
        command.Options.Add(flags.output);
        flags.analysis.AddTo(command);
        command.Options.Add(flags.json);
        command.SetAction(flags.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        AnalysisOptions summing = analysis.Read(parsed);
        var whole = new SweepFolder(parsed.GetValue(output)!);
        SweepManifest manifest = SweepMerge.Merge(
            [.. parsed.GetValue(shards)!.Select(shard => new SweepFolder(shard))], whole, ["dera", .. Environment.GetCommandLineArgs().Skip(1)]);
        cancellationToken.ThrowIfCancellationRequested();
        SweepTable.Write(await SweepReports.WriteAsync(whole, manifest, summing), whole, parsed.GetValue(json));
        return ExitCode.Done;
    }
}

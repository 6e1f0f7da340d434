using System.CommandLine;
using System.CommandLine.Parsing;
using DeRa.Cli.Commands;

namespace DeRa.Cli.CommandLine;

/// <summary>The whole command line: parse, call, and turn what goes wrong into one line and an exit code.</summary>
internal static class DeraCommand
{
    private const string MissingCommand = "Required command was not provided.";
    private const string Choices = "Must be one of:";

    public static async Task<int> RunAsync(string[] arguments)
    {
        ParseResult parsed = Create().Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            // An unknown command is also a missing one: the parser says both, a person needs the first.
            bool unknown = parsed.UnmatchedTokens.Count > 0;
            foreach (ParseError error in parsed.Errors.Where(error => !(unknown && error.SymbolResult is CommandResult && error.Message == MissingCommand)))
            {
                await Console.Error.WriteLineAsync($"dera: {Plain(error)}");
            }

            await Console.Error.WriteLineAsync($"dera: see '{Usage(parsed.CommandResult)} --help'");
            return ExitCode.BadInput;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = TimeSpan.FromSeconds(10), // after Ctrl-C, for the running step to end
            });
        }
        catch (Exception exception)
        {
            return Failure.Report(exception);
        }
    }

    private static RootCommand Create() => new(
        "DeRa.Engine: decoding-time realignment of language models. Dial alignment between a reference and an aligned model, and beyond.")
    {
        GenerateCommand.Create(),
        ChatCommand.Create(),
        ScoreCommand.Create(),
        SweepCommand.Create(),
        MergeCommand.Create(),
        LogitsCommand.Create(),
        TokenizeCommand.Create(),
        TemplateCommand.Create(),
        InspectCommand.Create(),
        DevicesCommand.Create(),
        SelfTestCommand.Create(),
        BenchCommand.Create(),
    };

    /// <summary>The parser's message in one line, with the flag that is meant.</summary>
    private static string Plain(ParseError error)
    {
        int choices = error.Message.IndexOf(Choices, StringComparison.Ordinal);
        return choices >= 0 && (error.SymbolResult as OptionResult ?? error.SymbolResult?.Parent as OptionResult) is { } flag
            ? $"{flag.Option.Name}: expected one of {Joined(error.Message[(choices + Choices.Length)..])}, found '{string.Join(" ", flag.Tokens)}'"
            : WithoutTypes(error.Message);
    }

    /// <summary>The values of a list that has one, in quotes, on each line.</summary>
    private static string Joined(string lines) =>
        string.Join(", ", lines.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(line => line.Trim('\'')));

    /// <summary>The parser's message without the names of .NET types.</summary>
    private static string WithoutTypes(string message) => message
        .Replace(" as expected type 'System.Single'.", ": expected a number.", StringComparison.Ordinal)
        .Replace(" as expected type 'System.Double'.", ": expected a number.", StringComparison.Ordinal)
        .Replace(" as expected type 'System.Nullable`1[System.Double]'.", ": expected a number.", StringComparison.Ordinal)
        .Replace(" as expected type 'System.Int32'.", ": expected an integer.", StringComparison.Ordinal)
        .Replace(" as expected type 'System.UInt64'.", ": expected an integer of at least 0.", StringComparison.Ordinal);

    private static string Usage(CommandResult command) => command.Command is RootCommand ? "dera" : $"dera {command.Command.Name}";
}

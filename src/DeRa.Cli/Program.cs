using System.CommandLine;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Commands;

var root = new RootCommand("DeRa.Engine: decoding-time realignment of language models. Dial alignment between a reference and an aligned model, and beyond.")
{
    GenerateCommand.Create(),
    ChatCommand.Create(),
    ScoreCommand.Create(),
    LogitsCommand.Create(),
    TokenizeCommand.Create(),
    TemplateCommand.Create(),
    InspectCommand.Create(),
    DevicesCommand.Create(),
    SelfTestCommand.Create(),
};

Console.OutputEncoding = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
ParseResult parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors)
    {
        Console.Error.WriteLine($"dera: {error.Message}");
    }

    Console.Error.WriteLine($"dera: see 'dera {string.Join(' ', args.TakeWhile(argument => !argument.StartsWith('-')).Take(1))} --help'".Replace("  ", " ", StringComparison.Ordinal));
    return ExitCode.BadInput;
}

try
{
    return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(10) });
}
catch (Exception exception)
{
    return Failure.Report(exception);
}

using System.CommandLine;
using System.Globalization;
using DeRa.Cli.CommandLine;
using DeRa.Engine;
using DeRa.Models;

namespace DeRa.Cli.Commands;

/// <summary><c>dera chat</c>: a conversation, with λ changed as one goes.</summary>
internal sealed class ChatCommand
{
    private readonly PairFlags pair = new();
    private readonly SamplingFlags sampling = new();
    private readonly SpeculationFlags speculation = new();
    private readonly Option<string> lambda = LambdaList.Option("1");
    private readonly Option<int> context = new("--context") { Description = "Most tokens of a conversation", HelpName = "N", DefaultValueFactory = _ => 4096 };

    public static Command Create()
    {
        var command = new Command("chat", $"A conversation with the realigned mixture; {Conversation.Help}");
        var flags = new ChatCommand();
        command.Options.Add(flags.lambda);
        command.Options.Add(flags.context);
        flags.sampling.AddTo(command);
        flags.speculation.AddTo(command);
        flags.pair.AddTo(command);
        command.SetAction(flags.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        PairArguments folders = pair.Read(parsed);
        float[] lambdas = LambdaList.Parse(parsed.GetValue(lambda)!);
        if (lambdas.Length != 1)
        {
            throw new InputException($"--lambda: expected one value in a conversation, found {lambdas.Length}");
        }

        int positions = parsed.GetValue(context);
        if (positions is < 1 or > int.MaxValue - KvCache.BlockSize)
        {
            throw new InputException($"--context: expected at least 1, found {positions}");
        }

        SpeculationOptions speculate = speculation.Read(parsed);
        PairText text = PairText.Load(folders.ReferenceFolder, folders.AlignedFolder);
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(
            folders.EngineOptions(text, KvCache.BlocksFor(positions) * KvCache.BlockSize, speculate), cancellationToken);
        await Console.Error.WriteLineAsync($"λ = {lambdas[0].ToString(CultureInfo.InvariantCulture)}; {Conversation.Help}");
        await new Conversation(engine, sampling.Read(parsed), lambdas[0], positions).RunAsync(cancellationToken);
        SpeculationFlags.Report(engine);
        return ExitCode.Done;
    }
}

using System.CommandLine;
using System.Runtime.InteropServices;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Cli.Commands;

/// <summary><c>dera logits</c>: raw logits of one model at every position, for parity checks.</summary>
internal sealed class LogitsCommand
{
    private readonly Option<string> model = new("--model") { Description = "Folder of the model", Required = true, HelpName = "DIR" };
    private readonly Option<string> tokens = new("--tokens") { Description = "Token ids, as in 1,2,3", Required = true, HelpName = "IDS" };
    private readonly Option<string> output = new("--out") { Description = "File to write: little-endian float32, row-major [tokens, vocab]", Required = true, HelpName = "FILE" };
    private readonly DeviceFlags device = new();

    public static Command Create()
    {
        var command = new Command("logits", "Write one model's raw logits at every position");
        var flags = new LogitsCommand();
        command.Options.Add(flags.model);
        command.Options.Add(flags.tokens);
        command.Options.Add(flags.output);
        flags.device.AddTo(command);
        command.SetAction(flags.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        string folder = PairFlags.RequireFolder(parsed.GetValue(model)!);
        int[] ids = Prompt.FromTokens(parsed.GetValue(tokens)!).Tokens;
        DeviceArguments where = device.Read(parsed);
        string target = parsed.GetValue(output)!;
        CompleteFile.RequirePlace(target);
        using KernelSet kernels = DeviceCatalog.Open(where.Device, line => Console.Error.WriteLine(line));
        using ModelPair single = ModelPair.Load(folder, null, kernels, where.WeightType);
        foreach (string note in single.Notes)
        {
            Console.Error.WriteLine(note);
        }

        CompleteFile.Write(
            target,
            file => LogitsComputer.Compute(single.Reference, kernels, ids, (_, logits) => file.Write(MemoryMarshal.AsBytes(logits))));
        return ExitCode.Done;
    }
}

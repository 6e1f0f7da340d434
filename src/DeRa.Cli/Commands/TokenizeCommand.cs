using System.CommandLine;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Tokenization;

namespace DeRa.Cli.Commands;

/// <summary><c>dera tokenize</c>: text to token ids and back, a line each.</summary>
internal sealed class TokenizeCommand
{
    private readonly Option<string?> model = new("--model") { Description = "Folder of the model (default: the bundled pair's)", HelpName = "DIR" };
    private readonly Option<bool> decode = new("--decode") { Description = "Arrays of ids in, JSON strings out" };
    private readonly Option<bool> noSpecial = new("--no-special") { Description = "Leave out the special tokens that the tokenizer puts around a text" };
    private readonly Option<bool> skipSpecial = new("--skip-special") { Description = "With --decode: leave out special tokens" };

    public static Command Create()
    {
        var command = new Command("tokenize", "Standard input: a JSON string a line; standard output: an array of token ids a line. --decode goes the other way");
        var flags = new TokenizeCommand();
        foreach (Option option in (Option[])[flags.model, flags.decode, flags.noSpecial, flags.skipSpecial])
        {
            command.Options.Add(option);
        }

        command.SetAction(flags.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        Tokenizer tokenizer = Tokenizer.Load(PairFlags.RequireFolder(parsed.GetValue(model) ?? BundledPair.Aligned));
        bool addSpecial = !parsed.GetValue(noSpecial), skip = parsed.GetValue(skipSpecial);
        IEnumerable<string> lines = parsed.GetValue(decode)
            ? InputLines.Read(InputLines.StandardInput, Console.In, line => Json.Line(tokenizer.Decode(InputLines.Tokens(line, "ids"), skip)))
            : InputLines.Read(InputLines.StandardInput, Console.In, line => Json.Line(tokenizer.Encode(InputLines.Text(line, "text"), addSpecial)));
        foreach (string line in lines)
        {
            Console.Out.WriteLine(line);
        }

        return ExitCode.Done;
    }
}

using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Engine;
using DeRa.Evaluation;

namespace DeRa.Cli.Commands;

/// <summary><c>dera score</c>: likelihoods, divergences and normalisers of given texts under many λ.</summary>
internal sealed class ScoreCommand
{
    private const string StandardOutput = "-";

    private readonly PairFlags pair = new();
    private readonly Option<string> lambda = LambdaList.Option("0,0.25,0.5,0.75,1");
    private readonly Option<string> input = new("--input") { Description = "JSONL of {\"tokens\", \"from\"}, {\"prompt\", \"completion\"}, {\"messages\"} or preference pairs {\"prompt\", \"chosen\", \"rejected\"}, with an optional \"id\"; - is standard input", DefaultValueFactory = _ => "-", HelpName = "FILE" };
    private readonly Option<string> output = new("--output") { Description = "JSONL to write, one line per input line; - is standard output. Interrupted, the same command goes on where it stopped", DefaultValueFactory = _ => "-", HelpName = "FILE" };
    private readonly Option<bool> chat = new("--chat") { Description = "Treat prompts as the user's message and completions as the assistant's, rendered with the model's chat template" };
    private readonly Option<string?> summary = new("--summary") { Description = "JSON to write: per λ perplexity, KLs, ΣA and pairwise accuracy over the whole input, with bootstrap intervals", HelpName = "FILE" };
    private readonly Option<int> bootstrap = new("--bootstrap") { Description = "Resamples of the summary's bootstrap", HelpName = "N", DefaultValueFactory = _ => PairedBootstrap.DefaultResamples };

    public static Command Create()
    {
        var command = new Command("score", "Score texts under many λ with one forward pass of each model");
        var flags = new ScoreCommand();
        foreach (Option option in (Option[])[flags.input, flags.output, flags.lambda, flags.chat, flags.summary, flags.bootstrap])
        {
            command.Options.Add(option);
        }

        flags.pair.AddTo(command);
        command.SetAction(flags.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        PairArguments folders = pair.Read(parsed);
        float[] lambdas = LambdaList.Parse(parsed.GetValue(lambda)!);
        int resamples = parsed.GetValue(bootstrap);
        if (resamples is < 100 or > 1_000_000)
        {
            throw new InputException($"--bootstrap: expected 100 to 1000000 resamples, found {resamples}");
        }

        PairText text = PairText.Load(folders.ReferenceFolder, folders.AlignedFolder);
        string source = parsed.GetValue(input)!, target = parsed.GetValue(output)!;
        foreach (string file in new[] { target, parsed.GetValue(summary) ?? StandardOutput }.Where(file => file != StandardOutput))
        {
            CompleteFile.RequirePlace(file);
        }

        // Reads of standard input cannot be cancelled, so the wait for them is: Ctrl-C ends the command at once.
        ScoreLine[] lines = await Task.Run(() => ReadLines(source, text, lambdas, parsed.GetValue(chat)), CancellationToken.None).WaitAsync(cancellationToken);

        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(
            folders.EngineOptions(text, CachePlan.Positions(lines.SelectMany(line => line.Requests).Select(request => request.Tokens.Count))), cancellationToken);
        foreach (ScoreLine line in lines)
        {
            line.Check(engine);
        }

        ScoreAnalysis? analysis = parsed.GetValue(summary) is null ? null : new ScoreAnalysis(lambdas);
        var run = new ScoreRun(engine, analysis);
        if (target == StandardOutput)
        {
            await run.WriteAsync(lines, Console.Out.WriteLine, cancellationToken);
        }
        else
        {
            using ResumableFile file = ResumableFile.Open(target, Fingerprint(folders, lines));
            int done = run.Resume(lines, file.Lines);
            await WorkProgress.ShowAsync("texts", lines.Length, done, scored => run.WriteAsync(lines[done..], line =>
            {
                file.Append(line);
                scored(1);
            }, cancellationToken));
            file.Complete();
        }

        if (parsed.GetValue(summary) is { } place)
        {
            string json = Json.Line(analysis!.Summarise(new AnalysisOptions { Resamples = resamples })) + "\n";
            CompleteFile.Write(place, stream => stream.Write(Encoding.UTF8.GetBytes(json)));
        }

        return ExitCode.Done;
    }

    private static ScoreLine[] ReadLines(string source, PairText text, float[] lambdas, bool chat)
    {
        using TextReader reader = InputLines.Open(source);
        return [.. InputLines.Read(source, reader, (line, place) => ScoreLine.Read(line, place, text, lambdas, chat))];
    }

    /// <summary>Names the work by what its results depend on.</summary>
    private static string Fingerprint(PairArguments folders, ScoreLine[] lines)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(HashedFile.Together(HashedFile.OfCheckpoint("reference", folders.ReferenceFolder)));
        Add(HashedFile.Together(HashedFile.OfCheckpoint("aligned", folders.AlignedFolder)));
        Add(folders.Device.ToString());
        foreach (ScoreLine line in lines)
        {
            Add(line.Id?.GetRawText() ?? "");
            foreach (ScoreRequest request in line.Requests)
            {
                Add(string.Create(CultureInfo.InvariantCulture, $"{request.From} {string.Join(",", request.Tokens)} {string.Join(",", request.Lambdas.Select(value => value.ToString("R", CultureInfo.InvariantCulture)))}"));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Add(string part) => hash.AppendData(Encoding.UTF8.GetBytes(part + "\0"));
    }
}

using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
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
    private readonly Option<string> input = new("--input") { Description = "JSONL of {\"id\", \"tokens\", \"from\"} or {\"id\", \"prompt\", \"completion\"}; - is standard input", DefaultValueFactory = _ => "-", HelpName = "FILE" };
    private readonly Option<string> output = new("--output") { Description = "JSONL to write, one line per input line; - is standard output", DefaultValueFactory = _ => "-", HelpName = "FILE" };

    public static Command Create()
    {
        var command = new Command("score", "Score texts under many λ with one forward pass of each model");
        var flags = new ScoreCommand();
        command.Options.Add(flags.input);
        command.Options.Add(flags.output);
        command.Options.Add(flags.lambda);
        flags.pair.AddTo(command);
        command.SetAction(flags.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        PairArguments folders = pair.Read(parsed);
        float[] lambdas = LambdaList.Parse(parsed.GetValue(lambda)!);
        PairText text = PairText.Load(folders.ReferenceFolder, folders.AlignedFolder);
        string source = parsed.GetValue(input)!, target = parsed.GetValue(output)!;
        if (target != StandardOutput)
        {
            CompleteFile.RequirePlace(target);
        }

        // Reads of standard input cannot be cancelled, so the wait for them is: Ctrl-C ends the command at once.
        ScoreLine[] lines = await Task.Run(() => ReadLines(source, text, lambdas), CancellationToken.None).WaitAsync(cancellationToken);

        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(
            folders.EngineOptions(text, CachePlan.Positions(lines.Select(line => line.Request.Tokens.Count))), cancellationToken);
        foreach (ScoreLine line in lines)
        {
            line.Check(engine);
        }

        if (target == StandardOutput)
        {
            await WriteAsync(Console.Out);
        }
        else
        {
            await CompleteFile.WriteAsync(target, async file =>
            {
                await using var writer = new StreamWriter(file);
                await WriteAsync(writer);
            });
        }

        return ExitCode.Done;

        async Task WriteAsync(TextWriter writer)
        {
            int next = 0;
            await foreach (IReadOnlyList<LambdaScore> scores in new Scorer(engine).ScoreAsync(lines.Select(line => line.Request), cancellationToken))
            {
                ScoreLine line = lines[next++];
                await writer.WriteLineAsync(
                    Json.Line(new Scored(line.Id, line.Request.Tokens, line.Request.From, [.. scores.Select(score => new ScoredLambda(score))])));
            }
        }
    }

    private static ScoreLine[] ReadLines(string source, PairText text, float[] lambdas)
    {
        using TextReader reader = InputLines.Open(source);
        return [.. InputLines.Read(source, reader, line => ScoreLine.Read(line, text, lambdas))];
    }

    private sealed record Scored(
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Id,
        IReadOnlyList<int> Tokens,
        int From,
        IReadOnlyList<ScoredLambda> Lambdas);

    private sealed record ScoredLambda(
        float Lambda,
        double LogLikelihood,
        IReadOnlyList<double> TokenLogprobs,
        IReadOnlyList<double> KlReference,
        IReadOnlyList<double> KlAligned,
        IReadOnlyList<double> LogNormalizer,
        double SequenceGap)
    {
        public ScoredLambda(LambdaScore score)
            : this(score.Lambda, score.LogLikelihood, score.TokenLogProbs, score.KlReference, score.KlAligned, score.LogNormalizer, score.SequenceGap)
        {
        }
    }
}

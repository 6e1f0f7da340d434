using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Engine;
using DeRa.Evaluation;
using DeRa.Kernels;
using DeRa.Models;

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
        ScoreLine[] lines = await Task.Run(() => ReadLines(source, text), CancellationToken.None).WaitAsync(cancellationToken);

        using KernelSet kernels = DeviceCatalog.Open(folders.Device.Device, line => Console.Error.WriteLine(line));
        using ModelPair models = ModelPair.Load(folders.ReferenceFolder, folders.AlignedFolder, kernels, folders.Device.WeightType);
        text.CheckVocabulary(models.Vocabulary);
        foreach (ScoreLine line in lines)
        {
            line.Check(models);
        }

        using var scorer = new Scorer(kernels, models, lambdas);
        if (target == StandardOutput)
        {
            Write(Console.Out);
        }
        else
        {
            CompleteFile.Write(target, file =>
            {
                using var writer = new StreamWriter(file);
                Write(writer);
            });
        }

        return ExitCode.Done;

        void Write(TextWriter writer)
        {
            foreach ((ScoreLine line, IReadOnlyList<LambdaScore> scores) in lines.Zip(scorer.Score(lines.Select(line => line.Item))))
            {
                cancellationToken.ThrowIfCancellationRequested();
                writer.WriteLine(Json.Line(new Scored(line.Id, line.Item.Tokens, line.Item.From, [.. scores.Select(score => new ScoredLambda(score))])));
            }
        }
    }

    private static ScoreLine[] ReadLines(string source, PairText text)
    {
        using TextReader reader = InputLines.Open(source);
        return [.. InputLines.Read(source, reader, line => ScoreLine.Read(line, text))];
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

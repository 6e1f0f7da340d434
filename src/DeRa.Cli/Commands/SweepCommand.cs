using System.CommandLine;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Engine;
using DeRa.Evaluation;

namespace DeRa.Cli.Commands;

/// <summary><c>dera sweep</c>: prompts × λ × samples, judged by rewards; which λ to take and how sure that is.</summary>
internal sealed class SweepCommand
{
    private readonly PairFlags pair = new();
    private readonly SamplingFlags sampling = new();
    private readonly AnalysisFlags analysis = new();
    private readonly RewardFlags rewards = new();
    private readonly Option<string> lambda = LambdaList.Option("0:2:0.25");
    private readonly Option<string> prompts = new("--prompts") { Description = "JSONL of {\"prompt\"}, {\"messages\"} or {\"tokens\"}, with an optional \"id\" and \"seed\"; - is standard input", HelpName = "FILE", Required = true };
    private readonly Option<bool> chat = new("--chat") { Description = "Treat prompts as the user's message and render them with the model's chat template" };
    private readonly Option<string> output = new("--output") { Description = "Folder for results; a sweep that was interrupted goes on where it stopped", HelpName = "DIR", Required = true };
    private readonly Option<int> samples = new("--samples") { Description = "Samples per prompt and λ", HelpName = "N", DefaultValueFactory = _ => 1 };
    private readonly Option<bool> independent = new("--independent") { Description = "Draw every λ with noise of its own, in place of the same noise for all" };
    private readonly Option<int> resample = new("--resample") { Description = "Candidates per sample, resampled with weight e^ΣA toward the sequence-level mixture; 1 is off", HelpName = "N", DefaultValueFactory = _ => 1 };
    private readonly Option<string?> shard = new("--shard") { Description = "Draw the i-th of n parts only, as in 2/4; dera merge puts them together", HelpName = "I/N" };
    private readonly Option<int> workers = new("--workers") { Description = "Prompts at work at once; results do not depend on it", HelpName = "N", DefaultValueFactory = _ => 4 };
    private readonly Option<bool> json = new("--json") { Description = "Print the summary as JSON" };

    public static Command Create()
    {
        var command = new Command("sweep", "Find the right λ: draw at many, judge, and compare with confidence intervals");
        var flags = new SweepCommand();
        foreach (Option option in (Option[])[flags.prompts, flags.output, flags.lambda, flags.samples, flags.chat])
        {
            command.Options.Add(option);
        }

        flags.rewards.AddTo(command);
        flags.analysis.AddTo(command);
        foreach (Option option in (Option[])[flags.independent, flags.resample, flags.shard, flags.workers, flags.json])
        {
            command.Options.Add(option);
        }

        flags.sampling.AddTo(command);
        flags.pair.AddTo(command);
        command.SetAction(flags.RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        PairArguments folders = pair.Read(parsed);
        AnalysisOptions summing = analysis.Read(parsed);
        int atOnce = parsed.GetValue(workers);
        if (atOnce < 1)
        {
            throw new InputException($"--workers: expected at least 1, found {atOnce}");
        }

        PairText text = PairText.Load(folders.ReferenceFolder, folders.AlignedFolder);
        SweepPrompt[] read = await Task.Run(() => SweepPrompts.Read(parsed.GetValue(prompts)!, text, parsed.GetValue(chat)), CancellationToken.None).WaitAsync(cancellationToken);
        var plan = new SweepPlan(
            read,
            LambdaList.Parse(parsed.GetValue(lambda)!),
            parsed.GetValue(samples),
            parsed.GetValue(sampling.Seed),
            !parsed.GetValue(independent),
            parsed.GetValue(resample),
            parsed.GetValue(shard) is { } part ? Shard.Parse(part) : null);
        GenerationRequest template = sampling.Read(parsed);
        plan.CheckSampling(template.Sampling);

        IReadOnlyList<IReward> judges = await rewards.CreateAsync(parsed, folders.Device.Device, text.Tokenizer);
        try
        {
            await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(folders.EngineOptions(text, CachePositions(plan, template, atOnce)), cancellationToken);
            foreach (SweepPrompt prompt in read)
            {
                Check(engine, template with { PromptTokens = prompt.Tokens }, prompt.Id);
            }

            foreach (float value in plan.Lambdas)
            {
                Check(engine, template with { PromptTokens = read[0].Tokens, Lambda = value }, read[0].Id);
            }

            var folder = new SweepFolder(parsed.GetValue(output)!);
            var inputs = new SweepInputs(folders, parsed.GetValue(prompts)!, template, judges);
            (ResultLog log, SweepManifest manifest) = folder.Open(inputs.Manifest(plan, [.. new[] { engine.ReferenceDevice.Id, engine.AlignedDevice.Id }.Distinct()]), plan);
            using (log)
            {
                var runner = new SweepRunner(plan, manifest.Fingerprint, new EngineSampleSource(engine, template), judges, atOnce);
                await WorkProgress.ShowAsync("samples", plan.UnitCount, log.Count, drawn => runner.RunAsync(log, drawn, cancellationToken));
            }

            folder.Finish(manifest);
            SweepSummary summary = await SweepReports.WriteAsync(folder, manifest, summing);
            SweepTable.Write(summary, folder, parsed.GetValue(json));
        }
        finally
        {
            foreach (IReward judge in judges)
            {
                await judge.DisposeAsync();
            }
        }

        return ExitCode.Done;
    }

    /// <summary>Requires a prompt that the engine can continue, so that a sweep does not fail halfway for it.</summary>
    private static void Check(RealignmentEngine engine, GenerationRequest request, string id)
    {
        try
        {
            engine.CheckGeneration(request);
        }
        catch (RequestException exception)
        {
            throw new InputException($"prompt '{id}': {exception.Message}");
        }
    }

    /// <summary>Room for all samples of the prompts at work at once, as far as memory is not strained.</summary>
    private static int CachePositions(SweepPlan plan, GenerationRequest template, int workers) => CachePlan.Positions(
    [
        .. plan.ShardPrompts.OrderByDescending(prompt => prompt.Tokens.Count).Take(workers)
            .SelectMany(prompt => Enumerable.Repeat(template with { PromptTokens = prompt.Tokens }, plan.UnitsPerPrompt * plan.Candidates)),
    ]);
}

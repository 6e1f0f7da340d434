using System.CommandLine;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Engine;

namespace DeRa.Cli.Commands;

/// <summary><c>dera generate</c>: continues prompts at one or several λ.</summary>
internal sealed class GenerateCommand
{
    private readonly PairFlags pair = new();
    private readonly SamplingFlags sampling = new();
    private readonly SpeculationFlags speculation = new();
    private readonly Option<string> lambda = LambdaList.Option("1");
    private readonly Option<string?> prompt = new("--prompt") { Description = "Text to continue", HelpName = "TEXT" };
    private readonly Option<string?> prompts = new("--prompts") { Description = "JSONL of {\"prompt\"}, {\"messages\"} or {\"tokens\"}, with an optional \"id\" and \"seed\"; - is standard input", HelpName = "FILE" };
    private readonly Option<string?> tokens = new("--tokens") { Description = "Token ids to continue, as in 1,2,3; bypasses the tokenizer", HelpName = "IDS" };
    private readonly Option<bool> chat = new("--chat") { Description = "Treat prompts as the user's message and render them with the model's chat template" };
    private readonly Option<int> topTokens = new("--top-logprobs") { Description = "With --json: the most likely tokens per position, up to 32", HelpName = "N" };
    private readonly Option<int> samples = new("--samples") { Description = "With --json: samples per prompt and λ", DefaultValueFactory = _ => 1, HelpName = "N" };
    private readonly Option<bool> json = new("--json") { Description = "One JSON line per result" };

    public static Command Create()
    {
        var command = new Command("generate", "Generate text from the realigned mixture, at one λ or several side by side");
        var flags = new GenerateCommand();
        foreach (Option option in (Option[])[flags.prompt, flags.prompts, flags.tokens, flags.lambda, flags.chat, flags.json, flags.topTokens, flags.samples])
        {
            command.Options.Add(option);
        }

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
        SpeculationOptions speculate = speculation.Read(parsed);
        bool asJson = parsed.GetValue(json);
        if (parsed.GetValue(topTokens) != 0 && !asJson)
        {
            throw new InputException("--top-logprobs: expected beside --json, which reports them");
        }

        if (parsed.GetValue(samples) != 1 && !asJson)
        {
            throw new InputException("--samples: expected beside --json, which writes a line for each");
        }

        PairText text = PairText.Load(folders.ReferenceFolder, folders.AlignedFolder);

        // Reads of standard input cannot be cancelled, so the wait for them is: Ctrl-C ends the command at once.
        Prompt[] all = await Task.Run(() => ReadPrompts(parsed, text), CancellationToken.None).WaitAsync(cancellationToken);
        GenerationRequest template = sampling.Read(parsed) with
        {
            Samples = parsed.GetValue(samples),
            Statistics = asJson || lambdas.Length > 1,
            TopTokens = asJson ? parsed.GetValue(topTokens) : 0,
        };
        GenerationRequest[] requests =
        [
            .. all.SelectMany(one => lambdas.Select(value => template with
            {
                PromptTokens = one.Tokens,
                Lambda = value,
                Sampling = template.Sampling with { Seed = one.Seed ?? template.Sampling.Seed },
            })),
        ];

        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(
            folders.EngineOptions(text, CachePlan.Positions(requests), speculate), cancellationToken);
        for (int i = 0; i < requests.Length; i++)
        {
            all[i / lambdas.Length].Check(engine, requests[i]);
        }

        if (asJson)
        {
            await WriteJsonAsync(engine, all, lambdas, requests, cancellationToken);
        }
        else if (requests.Length == 1)
        {
            await foreach (TokenEvent token in engine.GenerateAsync(requests[0], cancellationToken))
            {
                Console.Out.Write(token.Text);
                await Console.Out.FlushAsync(cancellationToken);
            }

            Console.Out.WriteLine();
        }
        else
        {
            await new SideBySide(engine, lambdas).ShowAsync(all, requests, cancellationToken);
        }

        SpeculationFlags.Report(engine);
        return ExitCode.Done;
    }

    private static async Task WriteJsonAsync(
        RealignmentEngine engine, Prompt[] prompts, float[] lambdas, GenerationRequest[] requests, CancellationToken cancellationToken)
    {
        // Where a line cannot be written, what would follow it need not be computed.
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // The λ and samples of a prompt begin together, so that it is computed once.
        Task<IReadOnlyList<GenerationResult>>[] results =
            [.. requests.Chunk(lambdas.Length).Select(ofPrompt => engine.CompleteTogetherAsync(ofPrompt, leaving.Token))];
        try
        {
            for (int i = 0; i < results.Length; i++)
            {
                IReadOnlyList<GenerationResult> ofPrompt = await results[i];
                for (int j = 0; j < ofPrompt.Count; j++)
                {
                    int at = j / requests[0].Samples;
                    Json.WriteLine(new GenerationLine(prompts[i], lambdas[at], requests[(i * lambdas.Length) + at], ofPrompt[j])
                    {
                        Sample = requests[0].Samples > 1 ? j % requests[0].Samples : null,
                    });
                }

                await Console.Out.FlushAsync(cancellationToken);
            }
        }
        finally
        {
            await leaving.CancelAsync();
        }
    }

    private Prompt[] ReadPrompts(ParseResult parsed, PairText text)
    {
        string? one = parsed.GetValue(prompt), file = parsed.GetValue(prompts), ids = parsed.GetValue(tokens);
        bool asChat = parsed.GetValue(chat);
        switch (one, file, ids)
        {
            case ({ } value, null, null):
                return [Prompt.FromText(text, value, asChat)];
            case (null, null, { } list) when asChat:
                throw new InputException($"--chat: expected --prompt or --prompts to render with the chat template, found --tokens {list}");
            case (null, null, { } list):
                return [Prompt.FromTokens(list)];
            case (null, { } path, null):
                using (TextReader reader = InputLines.Open(path))
                {
                    Prompt[] all = [.. InputLines.Read(path, reader, (line, place) => Prompt.FromJson(text, line, place, asChat))];
                    return all.Length > 0 ? all : throw new InputException($"{InputLines.Name(path)}: expected at least one prompt, found none");
                }

            default:
                throw new InputException("expected exactly one of --prompt, --prompts and --tokens");
        }
    }
}

using System.Globalization;
using System.Text;
using DeRa.Engine;
using DeRa.Tokenization.ChatTemplates;

namespace DeRa.Cli.Commands;

/// <summary>A conversation on the terminal, or over a pipe: messages and commands a line each on standard input, answers on standard output.</summary>
internal sealed class Conversation(RealignmentEngine engine, GenerationRequest template, float lambda, int positions)
{
    public const string Help = "/lambda VALUE sets λ, /system TEXT sets the system message, /reset forgets the conversation, /quit ends";

    private readonly List<ChatMessage> messages = [];
    private string? system;
    private float lambda = lambda;
    private uint turn;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Console.Error.Write("> ");

            // Console reads cannot be cancelled, so the wait is: Ctrl-C ends the conversation at once.
            string? line = await Task.Run(Console.In.ReadLine, CancellationToken.None).WaitAsync(cancellationToken);
            if (line is null or "/quit")
            {
                return;
            }

            if (line.StartsWith('/'))
            {
                Obey(line);
            }
            else if (!string.IsNullOrWhiteSpace(line))
            {
                await AnswerAsync(line, cancellationToken);
            }
        }
    }

    private void Obey(string line)
    {
        string[] parts = line.Split(' ', 2, StringSplitOptions.TrimEntries);
        string argument = parts.Length > 1 ? parts[1] : "";
        switch (parts[0])
        {
            case "/lambda" when float.TryParse(argument, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value):
                lambda = value;
                Console.Error.WriteLine($"λ = {lambda.ToString(CultureInfo.InvariantCulture)}");
                break;
            case "/lambda":
                Console.Error.WriteLine($"/lambda: expected a finite number, found '{argument}'");
                break;
            case "/system":
                system = argument.Length > 0 ? argument : null;
                break;
            case "/reset":
                messages.Clear();
                break;
            case "/help":
                Console.Error.WriteLine(Help);
                break;
            default:
                Console.Error.WriteLine($"{parts[0]}: expected one of these: {Help}");
                break;
        }
    }

    private async Task AnswerAsync(string line, CancellationToken cancellationToken)
    {
        messages.Add(new ChatMessage("user", line));
        try
        {
            ChatMessage[] all = system is null ? [.. messages] : [new ChatMessage("system", system), .. messages];
            int[] prompt = engine.Text.EncodeChat(all);
            int room = positions - prompt.Length + 1;
            if (room < 1)
            {
                throw new RequestException($"the conversation has {prompt.Length} tokens, --context allows {positions}; /reset forgets it");
            }

            GenerationRequest request = template with
            {
                PromptTokens = prompt,
                Lambda = lambda,
                MaxTokens = Math.Min(template.MaxTokens, room),
                Sampling = template.Sampling with { Stream = turn++ },
            };
            var answer = new StringBuilder();
            await foreach (TokenEvent token in engine.GenerateAsync(request, cancellationToken))
            {
                answer.Append(token.Text);
                Console.Out.Write(token.Text);
                await Console.Out.FlushAsync(cancellationToken);
            }

            Console.Out.WriteLine();
            messages.Add(new ChatMessage("assistant", answer.ToString()));
        }
        catch (Exception exception) when (exception is RequestException or ChatTemplateException)
        {
            messages.RemoveAt(messages.Count - 1);
            await Console.Error.WriteLineAsync($"dera: {exception.Message}");
        }
    }
}

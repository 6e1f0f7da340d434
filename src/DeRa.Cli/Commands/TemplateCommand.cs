using System.CommandLine;
using System.Text.Json;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Tokenization;
using DeRa.Tokenization.ChatTemplates;

namespace DeRa.Cli.Commands;

/// <summary><c>dera template</c>: renders conversations with a model's chat template.</summary>
internal sealed class TemplateCommand
{
    private readonly Option<string?> model = new("--model") { Description = "Folder of the model (default: the bundled pair's)", HelpName = "DIR" };

    public static Command Create()
    {
        var command = new Command(
            "template",
            "Standard input: {\"messages\", \"add_generation_prompt\", \"variables\"} a line; standard output: {\"rendered\"} or {\"error\"} a line");
        var flags = new TemplateCommand();
        command.Options.Add(flags.model);
        command.SetAction(flags.Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        string folder = PairFlags.RequireFolder(parsed.GetValue(model) ?? BundledPair.Aligned);
        ModelChatTemplate template = ModelChatTemplate.LoadIfPresent(folder)
            ?? throw new InputException($"{folder}: expected a chat_template in tokenizer_config.json or chat_template.jinja, found none");
        foreach (string line in InputLines.Read(InputLines.StandardInput, Console.In, line => Render(template, line)))
        {
            Console.Out.WriteLine(line);
        }

        return ExitCode.Done;
    }

    private static string Render(ModelChatTemplate template, JsonElement line)
    {
        if (line.ValueKind != JsonValueKind.Object || !line.TryGetProperty("messages", out JsonElement messages))
        {
            throw new InputException("expected an object with \"messages\"");
        }

        JsonElement variables = line.TryGetProperty("variables", out JsonElement given) ? given : default;
        if (variables.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.Object))
        {
            throw new InputException($"variables: expected an object, found {InputLines.Kind(variables)}");
        }

        try
        {
            var input = new ChatTemplateInput(messages)
            {
                AddGenerationPrompt = line.TryGetProperty("add_generation_prompt", out JsonElement add) && InputLines.Flag(add, "add_generation_prompt"),
            };
            return Json.Line(new { rendered = template.Render(input, target => SetVariables(target, variables)) });
        }
        catch (ChatTemplateException exception)
        {
            return Json.Line(new { error = exception.Message });
        }
    }

    private static void SetVariables(ChatTemplateInput input, JsonElement variables)
    {
        if (variables.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty variable in variables.EnumerateObject())
            {
                input.Set(variable.Name, variable.Value);
            }
        }
    }
}

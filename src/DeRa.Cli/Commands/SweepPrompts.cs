using System.Text.Json;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Engine;
using DeRa.Evaluation;

namespace DeRa.Cli.Commands;

/// <summary>Reads the prompts of a sweep: lines of <c>generate --prompts</c>, each with an id of its own or numbered by its place.</summary>
internal static class SweepPrompts
{
    public static SweepPrompt[] Read(string path, PairText text, bool chat)
    {
        var prompts = new List<SweepPrompt>();
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        using TextReader reader = InputLines.Open(path);
        foreach (Prompt prompt in InputLines.Read(path, reader, (line, place) => Prompt.FromJson(text, line, place, chat)))
        {
            int place = prompts.Count + 1;
            string id = prompt.Id is { } given ? IdText(given, path, place) : $"prompt-{place}";
            if (!ids.TryAdd(id, place))
            {
                throw new InputException($"{InputLines.Name(path)}: id '{id}' of prompt {place} is that of prompt {ids[id]} already; ids tell results apart");
            }

            if (prompt.Tokens.Length == 0)
            {
                throw new InputException($"{InputLines.Name(path)}: prompt '{id}' has no tokens");
            }

            prompts.Add(new SweepPrompt(place - 1, id, prompt.Label, prompt.Tokens, prompt.Messages, prompt.Seed));
        }

        return prompts.Count > 0 ? [.. prompts] : throw new InputException($"{InputLines.Name(path)}: expected at least one prompt, found none");
    }

    private static string IdText(JsonElement id, string path, int place) => id.ValueKind switch
    {
        JsonValueKind.String => id.GetString()!,
        JsonValueKind.Number => id.GetRawText(),
        _ => throw new InputException($"{InputLines.Name(path)}, prompt {place}: id: expected a string or a number, found {InputLines.Kind(id)}"),
    };
}

using System.Globalization;
using System.Text.Json;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Engine;
using DeRa.Tokenization.ChatTemplates;

namespace DeRa.Cli.Commands;

/// <summary>A prompt as it was given, and its token ids.</summary>
/// <param name="Id">The line's "id", as JSON; null where it had none.</param>
/// <param name="Label">What to show a person.</param>
/// <param name="Tokens">Ids, special tokens included.</param>
internal sealed record Prompt(JsonElement? Id, string Label, int[] Tokens)
{
    /// <summary>The line's own "seed"; null takes the command's.</summary>
    public ulong? Seed { get; private init; }

    /// <summary>File and line it stands in; null for a prompt of the command line.</summary>
    public string? Place { get; private init; }

    /// <summary>The conversation, where the prompt is one.</summary>
    public JsonElement? Messages { get; private init; }

    public static Prompt FromText(PairText text, string prompt, bool chat, JsonElement? id = null) =>
        new(id, prompt, chat ? text.EncodeChat([new ChatMessage("user", prompt)]) : text.Encode(prompt))
        {
            Messages = chat ? JsonSerializer.SerializeToElement(new[] { new { role = "user", content = prompt } }) : null,
        };

    public static Prompt FromTokens(string list)
    {
        int[] tokens =
        [
            .. list.Split(',', StringSplitOptions.TrimEntries).Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int id)
                ? id
                : throw new InputException($"--tokens: expected token ids as in 1,2,3, found '{part}'")),
        ];
        return new Prompt(null, $"{tokens.Length} tokens", tokens);
    }

    /// <summary>Requires a prompt that the engine can continue, so that nothing is put out before everything can be.</summary>
    public void Check(RealignmentEngine engine, GenerationRequest request)
    {
        try
        {
            engine.CheckGeneration(request);
        }
        catch (RequestException exception) when (Place is not null)
        {
            throw new InputException($"{Place}: {exception.Message}");
        }
    }

    /// <summary>A line of a prompts file: {"prompt"}, {"messages"} or {"tokens"}, with an optional "id" and "seed"; or a plain JSON string.</summary>
    public static Prompt FromJson(PairText text, JsonElement line, string place, bool chat) => FromJson(text, line, chat) with { Place = place };

    private static Prompt FromJson(PairText text, JsonElement line, bool chat)
    {
        if (line.ValueKind == JsonValueKind.String)
        {
            return FromText(text, line.GetString()!, chat);
        }

        if (line.ValueKind != JsonValueKind.Object)
        {
            throw new InputException($"expected an object or a string, found {InputLines.Kind(line)}");
        }

        ulong? seed = line.TryGetProperty("seed", out JsonElement number)
            ? number.ValueKind == JsonValueKind.Number && number.TryGetUInt64(out ulong value)
                ? value
                : throw new InputException($"seed: expected an integer of at least 0, found {number.GetRawText()}")
            : null;
        JsonElement? id = line.TryGetProperty("id", out JsonElement given) ? given.Clone() : null;
        return Content(text, line, chat, id) with { Seed = seed };
    }

    private static Prompt Content(PairText text, JsonElement line, bool chat, JsonElement? id)
    {
        if (line.TryGetProperty("tokens", out JsonElement tokens))
        {
            int[] ids = InputLines.Tokens(tokens, "tokens");
            return new Prompt(id, $"{ids.Length} tokens", ids);
        }

        if (line.TryGetProperty("messages", out JsonElement messages))
        {
            return new Prompt(id, messages.GetRawText(), text.EncodeChat(messages)) { Messages = messages.Clone() };
        }

        return line.TryGetProperty("prompt", out JsonElement prompt)
            ? FromText(text, InputLines.Text(prompt, "prompt"), chat, id)
            : throw new InputException("expected \"prompt\", \"messages\" or \"tokens\", found none of them");
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Engine;

namespace DeRa.Cli.Commands;

/// <summary>Turns the forms of a text to score into token ids and the first position that is scored.</summary>
internal static class ScoreText
{
    /// <summary>{"tokens", "from"}.</summary>
    public static (int[] Tokens, int From) Tokens(JsonElement line, JsonElement tokens)
    {
        int[] ids = InputLines.Tokens(tokens, "tokens");
        if (ids.Length < 2)
        {
            throw new InputException($"tokens: expected at least 2, the first is only given, found {ids.Length}");
        }

        int from = 1;
        if (line.TryGetProperty("from", out JsonElement start)
            && !(start.ValueKind == JsonValueKind.Number && start.TryGetInt32(out from)))
        {
            throw new InputException($"from: expected a position, found {start.GetRawText()}");
        }

        return from >= 1 && from < ids.Length
            ? (ids, from)
            : throw new InputException($"from: expected a position between 1 and {ids.Length - 1} of {ids.Length} tokens, found {from}");
    }

    /// <summary>{"messages"}: the last one, the assistant's, is scored with the tokens that end its turn.</summary>
    public static (int[] Tokens, int From) Conversation(JsonElement messages, PairText text)
    {
        if (messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() < 2)
        {
            throw new InputException($"messages: expected an array of at least two messages, found {(messages.ValueKind == JsonValueKind.Array ? messages.GetRawText() : InputLines.Kind(messages))}");
        }

        JsonElement last = messages[messages.GetArrayLength() - 1];
        if (last.ValueKind != JsonValueKind.Object || !last.TryGetProperty("role", out JsonElement role) || role.ValueKind != JsonValueKind.String || role.GetString() != "assistant")
        {
            throw new InputException($"messages: expected the last one, which is scored, to be the assistant's, found {last.GetRawText()}");
        }

        JsonArray before = JsonNode.Parse(messages.GetRawText())!.AsArray();
        before.RemoveAt(before.Count - 1);
        int[] tokens = text.EncodeConversation(messages);
        int from = text.EncodeChat(JsonSerializer.SerializeToElement(before)).Length;
        return from < tokens.Length
            ? (tokens, from)
            : throw new InputException("messages: expected an assistant's message that adds at least one token, found none");
    }

    /// <summary>
    /// {"prompt", "completion"}, or a side of {"prompt", "chosen", "rejected"}. Plain texts are encoded as a whole and the completion begins after as many
    /// tokens as the prompt alone has: the same split of a text that evaluation harnesses use, which keeps the tokens those that the models were trained
    /// on. A conversation (messages for a prompt, or any prompt where <paramref name="chat"/> is set) goes through the chat template.
    /// </summary>
    public static (int[] Tokens, int From) Completion(JsonElement line, string field, PairText text, bool chat)
    {
        JsonElement prompt = Required(line, "prompt"), completion = Required(line, field);
        if (chat || prompt.ValueKind == JsonValueKind.Array)
        {
            return Conversation(Joined(prompt, completion, field), text);
        }

        string given = InputLines.Text(prompt, "prompt");
        int[] tokens = text.Encode(given + InputLines.Text(completion, field));
        int from = Math.Max(1, text.Encode(given).Length);
        return from < tokens.Length
            ? (tokens, from)
            : throw new InputException($"{field}: expected text that adds at least one token to the prompt, found none");
    }

    /// <summary>One conversation of a prompt and its answer, each text or messages.</summary>
    private static JsonElement Joined(JsonElement prompt, JsonElement completion, string field)
    {
        JsonArray messages = prompt.ValueKind == JsonValueKind.Array
            ? JsonNode.Parse(prompt.GetRawText())!.AsArray()
            : [new JsonObject { ["role"] = "user", ["content"] = InputLines.Text(prompt, "prompt") }];
        if (completion.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement message in completion.EnumerateArray())
            {
                messages.Add(JsonNode.Parse(message.GetRawText()));
            }
        }
        else
        {
            messages.Add(new JsonObject { ["role"] = "assistant", ["content"] = InputLines.Text(completion, field) });
        }

        return JsonSerializer.SerializeToElement(messages);
    }

    private static JsonElement Required(JsonElement line, string name) => line.TryGetProperty(name, out JsonElement value)
        ? value
        : throw new InputException($"expected \"tokens\", \"messages\", \"prompt\" and \"completion\", or \"prompt\", \"chosen\" and \"rejected\"; \"{name}\" is missing");
}

using System.Text.Json;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Engine;
using DeRa.Evaluation;
using DeRa.Models;

namespace DeRa.Cli.Commands;

/// <summary>A line of <c>score</c>'s input.</summary>
internal sealed record ScoreLine(JsonElement? Id, string Name, ScoreItem Item)
{
    public static ScoreLine Read(JsonElement line, PairText text)
    {
        if (line.ValueKind != JsonValueKind.Object)
        {
            throw new InputException($"expected an object, found {InputLines.Kind(line)}");
        }

        JsonElement? id = line.TryGetProperty("id", out JsonElement given) ? given.Clone() : null;
        string name = id is null ? "a line without id" : $"id {id}";
        return new ScoreLine(id, name, line.TryGetProperty("tokens", out JsonElement tokens) ? FromTokens(line, tokens) : FromText(line, text));
    }

    /// <summary>Requires ids that both models know, so that nothing is written before everything can be.</summary>
    public void Check(ModelPair models)
    {
        foreach (int token in Item.Tokens)
        {
            if (token >= models.Vocabulary)
            {
                throw new InputException($"{Name}: expected token ids below {models.Vocabulary}, found {token}");
            }
        }

        if (models.MaxPositions is int positions && Item.Tokens.Count - 1 > positions)
        {
            throw new InputException($"{Name}: it has {Item.Tokens.Count} tokens, the models have {positions} positions");
        }
    }

    private static ScoreItem FromTokens(JsonElement line, JsonElement tokens)
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
            ? new ScoreItem(ids, from)
            : throw new InputException($"from: expected a position between 1 and {ids.Length - 1} of {ids.Length} tokens, found {from}");
    }

    /// <summary>
    /// The text is encoded as a whole and the completion begins after as many tokens as the prompt alone has: the same split of a text that
    /// evaluation harnesses use, which keeps the tokens those that the models were trained on.
    /// </summary>
    private static ScoreItem FromText(JsonElement line, PairText text)
    {
        string prompt = Field(line, "prompt"), completion = Field(line, "completion");
        int[] tokens = text.Encode(prompt + completion);
        int from = Math.Max(1, text.Encode(prompt).Length);
        return from < tokens.Length
            ? new ScoreItem(tokens, from)
            : throw new InputException("completion: expected text that adds at least one token to the prompt, found none");
    }

    private static string Field(JsonElement line, string name) => line.TryGetProperty(name, out JsonElement value)
        ? InputLines.Text(value, name)
        : throw new InputException($"expected \"tokens\", or \"prompt\" and \"completion\"; \"{name}\" is missing");
}

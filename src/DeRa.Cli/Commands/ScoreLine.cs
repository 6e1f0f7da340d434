using System.Text.Json;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Engine;

namespace DeRa.Cli.Commands;

/// <summary>A line of <c>score</c>'s input.</summary>
internal sealed record ScoreLine(JsonElement? Id, string Name, ScoreRequest Request)
{
    public static ScoreLine Read(JsonElement line, PairText text, float[] lambdas)
    {
        if (line.ValueKind != JsonValueKind.Object)
        {
            throw new InputException($"expected an object, found {InputLines.Kind(line)}");
        }

        JsonElement? id = line.TryGetProperty("id", out JsonElement given) ? given.Clone() : null;
        string name = id is null ? "a line without id" : $"id {id}";
        (int[] ids, int from) = line.TryGetProperty("tokens", out JsonElement tokens) ? FromTokens(line, tokens) : FromText(line, text);
        return new ScoreLine(id, name, new ScoreRequest { Tokens = ids, From = from, Lambdas = lambdas });
    }

    /// <summary>Requires a text that the engine can score, so that nothing is written before everything can be.</summary>
    public void Check(RealignmentEngine engine)
    {
        try
        {
            engine.CheckScore(Request);
        }
        catch (RequestException exception)
        {
            throw new InputException($"{Name}: {exception.Message}");
        }
    }

    private static (int[] Tokens, int From) FromTokens(JsonElement line, JsonElement tokens)
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

    /// <summary>
    /// The text is encoded as a whole and the completion begins after as many tokens as the prompt alone has: the same split of a text that
    /// evaluation harnesses use, which keeps the tokens those that the models were trained on.
    /// </summary>
    private static (int[] Tokens, int From) FromText(JsonElement line, PairText text)
    {
        string prompt = Field(line, "prompt"), completion = Field(line, "completion");
        int[] tokens = text.Encode(prompt + completion);
        int from = Math.Max(1, text.Encode(prompt).Length);
        return from < tokens.Length
            ? (tokens, from)
            : throw new InputException("completion: expected text that adds at least one token to the prompt, found none");
    }

    private static string Field(JsonElement line, string name) => line.TryGetProperty(name, out JsonElement value)
        ? InputLines.Text(value, name)
        : throw new InputException($"expected \"tokens\", or \"prompt\" and \"completion\"; \"{name}\" is missing");
}

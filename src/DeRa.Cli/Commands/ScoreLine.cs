using System.Text.Json;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Engine;

namespace DeRa.Cli.Commands;

/// <summary>A line of <c>score</c>'s input: a text, or a preference pair.</summary>
/// <param name="Id">The line's "id", as JSON; null where it had none.</param>
/// <param name="Place">File and line it stands in.</param>
/// <param name="Request">The text; of a pair the chosen one.</param>
/// <param name="Rejected">Of a pair the rejected text, else null.</param>
internal sealed record ScoreLine(JsonElement? Id, string Place, ScoreRequest Request, ScoreRequest? Rejected)
{
    /// <summary>The texts to score, in order.</summary>
    public IEnumerable<ScoreRequest> Requests => Rejected is null ? [Request] : [Request, Rejected];

    public static ScoreLine Read(JsonElement line, string place, PairText text, float[] lambdas, bool chat)
    {
        if (line.ValueKind != JsonValueKind.Object)
        {
            throw new InputException($"expected an object, found {InputLines.Kind(line)}");
        }

        JsonElement? id = line.TryGetProperty("id", out JsonElement given) ? given.Clone() : null;
        if (line.TryGetProperty("chosen", out _) || line.TryGetProperty("rejected", out _))
        {
            return new ScoreLine(id, place, Request(ScoreText.Completion(line, "chosen", text, chat)), Request(ScoreText.Completion(line, "rejected", text, chat)));
        }

        return new ScoreLine(
            id,
            place,
            Request(
                line.TryGetProperty("tokens", out JsonElement tokens) ? ScoreText.Tokens(line, tokens)
                : line.TryGetProperty("messages", out JsonElement messages) ? ScoreText.Conversation(messages, text)
                : ScoreText.Completion(line, "completion", text, chat)),
            null);

        ScoreRequest Request((int[] Tokens, int From) scored) => new() { Tokens = scored.Tokens, From = scored.From, Lambdas = lambdas };
    }

    /// <summary>Requires texts that the engine can score, so that nothing is written before everything can be.</summary>
    public void Check(RealignmentEngine engine)
    {
        try
        {
            foreach (ScoreRequest request in Requests)
            {
                engine.CheckScore(request);
            }
        }
        catch (RequestException exception)
        {
            throw new InputException($"{Place}: {exception.Message}");
        }
    }
}

using System.Text.Json;
using System.Text.Json.Serialization;
using DeRa.Cli.Commands;
using DeRa.Engine;

namespace DeRa.Cli.Output;

/// <summary>A line of <c>generate --json</c>. Log-probability and KL are sums over the output, of the plain mixture.</summary>
internal sealed record GenerationLine
{
    public GenerationLine(Prompt prompt, float lambda, GenerationRequest request, GenerationResult result)
    {
        Id = prompt.Id;
        PromptTokens = prompt.Tokens;
        Lambda = lambda;
        Tokens = result.Tokens;
        Text = result.Text;
        Finish = result.Finish;
        Logprob = result.LogProb;
        KlReference = result.KlReference;
        TopLogprobs = request.TopTokens == 0
            ? null
            : [.. result.Events.Select(token => token.TopTokens.Select(top => new TopLogprob(top.TokenId, top.LogProb)).ToArray())];
    }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public JsonElement? Id { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Sample { get; init; }

    public IReadOnlyList<int> PromptTokens { get; }

    public float Lambda { get; }

    public IReadOnlyList<int> Tokens { get; }

    public string Text { get; }

    public FinishReason Finish { get; }

    public double Logprob { get; }

    public double? KlReference { get; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<TopLogprob[]>? TopLogprobs { get; }
}

/// <summary>A likely token.</summary>
internal sealed record TopLogprob(int Token, float Logprob);

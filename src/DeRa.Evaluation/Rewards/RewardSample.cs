using System.Text.Json;

namespace DeRa.Evaluation;

/// <summary>A response to judge.</summary>
public sealed record RewardSample
{
    /// <summary>The prompt's id.</summary>
    public required string PromptId { get; init; }

    /// <summary>The prompt as text; empty where it was given as token ids and the pair has no tokenizer.</summary>
    public required string Prompt { get; init; }

    /// <summary>The conversation, an array of {"role", "content"}; null where the prompt is not one.</summary>
    public JsonElement? Messages { get; init; }

    /// <summary>The prompt's token ids, [tokens].</summary>
    public required IReadOnlyList<int> PromptTokens { get; init; }

    /// <summary>The response without special tokens.</summary>
    public required string Response { get; init; }

    /// <summary>Ids of the response, [tokens], without the token that ended it.</summary>
    public required IReadOnlyList<int> ResponseTokens { get; init; }

    /// <summary>λ it was drawn at.</summary>
    public required float Lambda { get; init; }

    /// <summary>Which of the prompt's samples it is, from 0.</summary>
    public required int Sample { get; init; }
}

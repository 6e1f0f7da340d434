using System.Runtime.InteropServices;

namespace DeRa.Engine.Scheduling;

/// <summary>A request on its way: its tokens, how far both caches have come, and the blocks that hold them.</summary>
/// <param name="request">What was asked for.</param>
/// <param name="maxTokens">Most tokens to put out: the request's limit, or what the models' positions leave of it.</param>
internal sealed class Sequence(GenerationRequest request, int maxTokens)
{
    private readonly List<int> tokens = [.. request.PromptTokens];

    public GenerationRequest Request { get; } = request;

    public int MaxTokens { get; } = maxTokens;

    /// <summary>Prompt, then output.</summary>
    public IReadOnlyList<int> Tokens => tokens;

    /// <summary>The same, for packing.</summary>
    public ReadOnlySpan<int> TokenSpan => CollectionsMarshal.AsSpan(tokens);

    public int PromptLength { get; } = request.PromptTokens.Count;

    public int OutputLength => tokens.Count - PromptLength;

    /// <summary>Leading tokens whose keys and values are in the cache.</summary>
    public int ComputedTokens { get; set; }

    /// <summary>Rope regime that the cached keys were rotated under (<c>Transformer.RopeRegime</c> of both models).</summary>
    public (int Reference, int Aligned) RopeRegime { get; set; }

    /// <summary>Cache blocks in position order; empty while waiting.</summary>
    public int[] Blocks { get; set; } = [];

    /// <summary>Positions the sequence may ever need: the last token put out is never fed back.</summary>
    public int MaxPositions => PromptLength + MaxTokens - 1;

    /// <summary>Ids of the output with how often each was put out.</summary>
    public Dictionary<int, int> OutputCounts { get; } = [];

    public void Append(int token)
    {
        tokens.Add(token);
        OutputCounts[token] = OutputCounts.GetValueOrDefault(token) + 1;
    }
}

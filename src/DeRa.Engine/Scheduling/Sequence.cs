using System.Runtime.InteropServices;
using DeRa.Engine.Execution;

namespace DeRa.Engine.Scheduling;

/// <summary>A request's tokens on their way: how far both caches have come, and the blocks that hold them.</summary>
internal sealed class Sequence
{
    private readonly List<int> tokens;

    /// <summary>A prompt to continue.</summary>
    /// <param name="prompt">Its tokens.</param>
    /// <param name="maxTokens">Most tokens to put out: the request's limit, or what the models' positions leave of it.</param>
    public Sequence(IReadOnlyList<int> prompt, int maxTokens)
    {
        tokens = [.. prompt];
        PromptLength = prompt.Count;
        MaxTokens = maxTokens;
        FirstOutput = int.MaxValue;
    }

    /// <summary>A text to score.</summary>
    public Sequence(ScoreRequest request)
    {
        tokens = [.. request.Tokens];
        PromptLength = request.Tokens.Count;
        FirstOutput = request.From - 1; // the hidden state at t predicts t + 1
    }

    /// <summary>The request; set once, by it.</summary>
    public Job? Job { get; set; }

    public Generation? Generation => Job as Generation;

    public int MaxTokens { get; }

    /// <summary>Prompt, then output.</summary>
    public IReadOnlyList<int> Tokens => tokens;

    /// <summary>The same, for packing.</summary>
    public ReadOnlySpan<int> TokenSpan => CollectionsMarshal.AsSpan(tokens);

    public int PromptLength { get; }

    public int OutputLength => tokens.Count - PromptLength;

    /// <summary>First position whose hidden state is scored; past the end for a generation, which draws from its last token only.</summary>
    public int FirstOutput { get; }

    public bool IsScored => FirstOutput != int.MaxValue;

    /// <summary>Leading tokens whose keys and values are in the cache.</summary>
    public int ComputedTokens { get; set; }

    /// <summary>Leading tokens to compute before the sequence needs a new one: the last token of a text that is scored is only predicted.</summary>
    public int TargetTokens => IsScored ? tokens.Count - 1 : tokens.Count;

    /// <summary>Rope regime that the cached keys were rotated under (<c>Transformer.RopeRegime</c> of both models).</summary>
    public (int Reference, int Aligned) RopeRegime { get; set; }

    /// <summary>Cache blocks in position order; empty while waiting.</summary>
    public int[] Blocks { get; set; } = [];

    /// <summary>Positions the sequence may ever need: the last token put out is never fed back.</summary>
    public int MaxPositions => Math.Max(PromptLength + MaxTokens, tokens.Count) - 1;

    /// <summary>Ids of the output with how often each was put out.</summary>
    public Dictionary<int, int> OutputCounts { get; } = [];

    public void Append(int token)
    {
        tokens.Add(token);
        OutputCounts[token] = OutputCounts.GetValueOrDefault(token) + 1;
    }
}

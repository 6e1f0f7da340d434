using DeRa.Engine.Execution;
using DeRa.Kernels;

namespace DeRa.Engine.Speculation;

/// <summary>A sequence's part in one speculative step: the model that runs judges its drafts, or drafts (on), or both.</summary>
internal sealed class Member
{
    public required Generation Generation { get; init; }

    /// <summary>What was drafted before; null where the model that runs starts.</summary>
    public required Draft? Draft { get; init; }

    /// <summary>Where the rows of new drafts go.</summary>
    public required int Slot { get; init; }

    /// <summary>Whether the drafts are judged.</summary>
    public required bool Judges { get; init; }

    /// <summary>Whether the last hidden state gives a new draft.</summary>
    public required bool Drafts { get; init; }

    /// <summary>Tokens fed to the model, from <see cref="Start"/> on.</summary>
    public required int[] Fed { get; init; }

    /// <summary>Position of the first of them.</summary>
    public required int Start { get; init; }

    /// <summary>First of the step's hidden states that are this member's: one per fed token.</summary>
    public int First { get; set; }

    /// <summary>Results of the judged drafts, in order of position.</summary>
    public List<(HeadResult Result, TopToken[] Top)> Judged { get; } = [];

    /// <summary>The new draft.</summary>
    public int NewDraft { get; set; }

    /// <summary>Rows judged.</summary>
    public int JudgedCount => Judges ? Draft!.Tokens.Count : 0;

    /// <summary>Tokens before the new draft that are only drafted themselves.</summary>
    public ReadOnlySpan<int> DraftedContext(int count) =>
        Draft is null ? [] : System.Runtime.InteropServices.CollectionsMarshal.AsSpan(Draft.Tokens)[..count];

    /// <summary>λ of the i-th judged token.</summary>
    public float Lambda(int i) => i == 0
        ? Generation.Lambda
        : Generation.Request.Lambda.At(new LambdaPosition(Generation.OutputLength + i, double.NaN)); // reads no divergence: see Speculator
}

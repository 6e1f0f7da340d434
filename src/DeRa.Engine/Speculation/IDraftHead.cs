using DeRa.Kernels;

namespace DeRa.Engine.Speculation;

/// <summary>Judges drafts and draws new ones from the hidden states of the model that ran and what was kept of the other: a rule of speculation.</summary>
internal interface IDraftHead : IDisposable
{
    /// <summary>Uploads what the members' rows need. Not while operations are enqueued.</summary>
    /// <param name="side">The model that runs.</param>
    /// <param name="members">Whose rows.</param>
    void Prepare(ModelSide side, IReadOnlyList<Member> members);

    /// <summary>Enqueues the head, and keeping what judging the new drafts will need.</summary>
    /// <param name="fresh">[rows, hidden] of the model that runs, in the order of the members.</param>
    void Enqueue(Matrix fresh);

    /// <summary>After the step has run: gives the members their results.</summary>
    void Read();
}

using System.Runtime.InteropServices;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// Tokens on their way: how far each model's cache has come with them, the blocks that hold both, and the jobs that read them. A text that
/// several jobs continue (λ values, samples) is computed once; where they draw different tokens the sequence forks.
/// </summary>
internal sealed class Sequence
{
    private readonly List<int> tokens;
    private readonly List<Job> jobs = [];

    /// <summary>A prompt to continue, or a text to score from position <paramref name="scoredFrom"/> on.</summary>
    /// <param name="tokens">At least one.</param>
    /// <param name="job">The first that reads it.</param>
    /// <param name="scoredFrom">First scored position; null for a prompt.</param>
    public Sequence(IReadOnlyList<int> tokens, Job job, int? scoredFrom = null)
    {
        this.tokens = [.. tokens];
        FirstOutput = scoredFrom - 1 ?? int.MaxValue; // the hidden state at t predicts t + 1
        Attach(job);
    }

    private Sequence(Sequence other)
    {
        tokens = [.. other.tokens];
        FirstOutput = other.FirstOutput;
        Blocks.AddRange(other.Blocks);
        Contents.AddRange(other.Contents);
        (ReferenceComputed, AlignedComputed) = (other.ReferenceComputed, other.AlignedComputed);
        (ReferencePublished, AlignedPublished) = (other.ReferencePublished, other.AlignedPublished);
        RopeRegime = other.RopeRegime;
        HasRun = true;
    }

    /// <summary>Whoever draws from it, or the one that scores it.</summary>
    public IReadOnlyList<Job> Jobs => jobs;

    /// <summary>Place in the order of arrival: that of its first job.</summary>
    public long Arrival { get; private set; }

    /// <summary>The models that its jobs are made of.</summary>
    public ModelSet Needs { get; private set; }

    /// <summary>Prompt, then output.</summary>
    public IReadOnlyList<int> Tokens => tokens;

    /// <summary>The same, for packing.</summary>
    public ReadOnlySpan<int> TokenSpan => CollectionsMarshal.AsSpan(tokens);

    /// <summary>First position whose score is still wanted; past the end for a prompt, which is drawn from at its last token only.</summary>
    public int FirstOutput { get; set; }

    public bool IsScored => FirstOutput != int.MaxValue;

    /// <summary>Leading tokens to compute before a new one is needed: the last token of a text that is scored is only predicted.</summary>
    public int TargetTokens => IsScored ? tokens.Count - 1 : tokens.Count;

    /// <summary>Leading tokens that may be taken from a cache: hidden states are not kept, so what an outcome is made of has to be computed.</summary>
    public int ReusableTokens => IsScored ? Math.Min(FirstOutput, TargetTokens) : tokens.Count - 1;

    /// <summary>Leading tokens whose keys and values are in the reference's cache.</summary>
    public int ReferenceComputed { get; set; }

    /// <summary>Leading tokens whose keys and values are in the aligned model's cache.</summary>
    public int AlignedComputed { get; set; }

    /// <summary>Leading blocks that are findable with the reference's keys and values.</summary>
    public int ReferencePublished { get; set; }

    /// <summary>Leading blocks that are findable with the aligned model's keys and values.</summary>
    public int AlignedPublished { get; set; }

    /// <summary>Leading tokens that every model it needs has computed.</summary>
    public int Computed => Math.Min(
        Needs.HasFlag(ModelSet.Reference) ? ReferenceComputed : int.MaxValue, Needs.HasFlag(ModelSet.Aligned) ? AlignedComputed : int.MaxValue);

    /// <summary>Rope regime that the cached keys were rotated under (<c>Transformer.RopeRegime</c> of both models).</summary>
    public (int Reference, int Aligned) RopeRegime { get; set; }

    /// <summary>Cache blocks in position order; empty while waiting.</summary>
    public List<int> Blocks { get; } = [];

    /// <summary>The same, for packing.</summary>
    public ReadOnlySpan<int> BlockSpan => CollectionsMarshal.AsSpan(Blocks);

    /// <summary>Per leading full block, what it holds: a number of the prefix cache.</summary>
    public List<long> Contents { get; } = [];

    /// <summary>A block filled in part that was shared when the sequence forked; whoever writes into it first has to copy it.</summary>
    public int? ForkedBlock { get; set; }

    /// <summary>Whether a step has computed any of it since it was admitted.</summary>
    public bool HasRun { get; set; }

    public void Append(int token) => tokens.Add(token);

    /// <summary>Adds a job; its arrival is settled.</summary>
    public void Attach(Job job)
    {
        jobs.Add(job);
        job.Sequence = this;
        Refresh();
    }

    /// <summary>Takes jobs out; how many there were.</summary>
    public int Detach(Predicate<Job> which)
    {
        int count = jobs.RemoveAll(which);
        Refresh();
        return count;
    }

    /// <summary>Settles what follows from the jobs.</summary>
    public void Refresh()
    {
        Arrival = jobs.Count == 0 ? long.MaxValue : jobs.Min(job => job.Arrival);
        Needs = jobs.Aggregate(ModelSet.None, (needs, job) => needs | job.Needs);
    }

    /// <summary>The same tokens, blocks and progress, without jobs; the caller shares the blocks.</summary>
    public Sequence Fork() => new(this);

    /// <summary>Forgets blocks and progress; the caller has given the blocks back.</summary>
    public void Reset()
    {
        Blocks.Clear();
        Contents.Clear();
        (ReferenceComputed, AlignedComputed, ReferencePublished, AlignedPublished) = (0, 0, 0, 0);
        (ForkedBlock, HasRun) = (null, false);
    }
}

using DeRa.Engine.Execution;
using DeRa.Engine.Scheduling;
using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Engine.Speculation;

/// <summary>
/// Decides which steps speculate, who runs in them, and what becomes of drafts (docs/decisions/0010). A speculative step runs one model only, the
/// same for all sequences, so that drafts of all are judged together.
/// </summary>
/// <remarks>
/// Between steps both caches hold all tokens of a sequence but its last, as after plain steps; what the drafting model has computed beyond is
/// written again if it is not used. So plain and speculative steps may follow each other in any order.
/// </remarks>
internal sealed class Speculator : IDisposable
{
    private readonly ModelPair pair;
    private readonly Scheduler scheduler;
    private readonly SpeculationOptions options;
    private readonly SpeculativeStep step;
    private readonly SpeculationGauge gauge;
    private readonly int room; // tokens and outputs of a step
    private readonly Dictionary<Sequence, Draft> drafts = [];
    private readonly Dictionary<Sequence, int> slots = [];
    private readonly Stack<int> freeSlots;
    private readonly List<DrawnToken> drawn = [];
    private ModelSide last = ModelSide.Aligned;

    /// <exception cref="DeviceException">The device lacks the memory for what is kept of drafts.</exception>
    public Speculator(KernelSet kernels, ModelPair pair, Scheduler scheduler, SpeculationOptions options, SpeculationGauge gauge)
    {
        (this.pair, this.scheduler, this.options, this.gauge) = (pair, scheduler, options, gauge);
        room = Math.Min(pair.Capacity.Tokens, pair.Capacity.Outputs);
        step = new SpeculativeStep(kernels, pair, options.Rule == SpeculationRule.Ratio ? new RatioHead(kernels, pair, options) : new CoupledHead(kernels, pair, options));
        freeSlots = new Stack<int>(Enumerable.Range(0, options.MaxSequences));
    }

    /// <summary>
    /// Runs a speculative step in place of the planned one. Null where it would not pay or cannot be: then the plan is to be run plainly. A sequence may
    /// get no token, or several; each is to be committed as if a step had computed all tokens before it.
    /// </summary>
    public IReadOnlyList<DrawnToken>? TryRun(StepPlan plan)
    {
        List<Chunk> chunks = plan.Chunks;
        if (chunks.Count == 0 || chunks.Count > options.MaxSequences || chunks.Count * (options.Depth + 1) > room || plan.Copies.Count > 0
            || !chunks.TrueForAll(CanSpeculate) || !gauge.Pays(options.MinAcceptance))
        {
            Forget([.. slots.Keys]);
            return null;
        }

        Forget([.. slots.Keys.Except(chunks.Select(chunk => chunk.Sequence))]);
        foreach (Chunk chunk in chunks)
        {
            scheduler.TryReserve(chunk.Sequence, chunk.End + Math.Min(options.Depth, JobOf(chunk.Sequence).Remaining - 1)); // else fewer drafts
        }

        ModelSide side = Choose(chunks);
        List<Member> members = [.. chunks.Select(chunk => Join(chunk.Sequence, side)).OfType<Member>()];
        step.Run(side, members);
        last = side;
        drawn.Clear();
        members.ForEach(member => Settle(member, side));
        return drawn;
    }

    public void Dispose() => step.Dispose();

    /// <summary>Whether a chunk is the newest token of one generation that needs both models, and nothing in what follows stands against drafts.</summary>
    private bool CanSpeculate(Chunk chunk)
    {
        if (chunk.ReferenceStart != chunk.End - 1 || chunk.AlignedStart != chunk.End - 1 || !chunk.DrawsToken
            || chunk.Sequence.Jobs is not [Generation { Needs: ModelSet.Both, Request: var request }])
        {
            return false;
        }

        int furthest = chunk.End + options.Depth;
        return (options.Depth == 1 || !request.Lambda.NeedsDivergence)
            && (options.Rule == SpeculationRule.Coupled || (!request.NeedsStatistics && request.TopTokens == 0))
            && pair.Reference.RopeRegime(chunk.End) == pair.Reference.RopeRegime(furthest)
            && pair.Aligned.RopeRegime(chunk.End) == pair.Aligned.RopeRegime(furthest);
    }

    /// <summary>The first sequence decides; those it does not suit sit out, and have their turn in the next step or the one after their drafts are full.</summary>
    private ModelSide Choose(List<Chunk> chunks)
    {
        Sequence first = chunks[0].Sequence;
        if (DraftOf(first) is not { } draft)
        {
            return options.Mode == SpeculationMode.OneSided ? ModelSide.Reference : Other(last);
        }

        return draft.Tokens.Count < MostDrafts(first) ? draft.Drafter : draft.Judge;
    }

    /// <summary>What a sequence does while <paramref name="side"/> runs; null where it waits.</summary>
    private Member? Join(Sequence sequence, ModelSide side)
    {
        Draft? draft = DraftOf(sequence);
        int length = sequence.Tokens.Count, count = draft?.Tokens.Count ?? 0;
        bool alternates = options.Mode == SpeculationMode.Alternating, judges = draft?.Judge == side;
        if (draft is null ? !alternates && side == ModelSide.Aligned : !judges && count >= MostDrafts(sequence))
        {
            return null;
        }

        // A judge that is to draft next reads the last draft too, if a token may follow it and it has a place in the cache.
        bool follows = judges && alternates && Remaining(sequence) > count && Places(sequence) >= length + count;
        int[] fed = !judges && count > 0
            ? [draft!.Tokens[^1]]
            : [sequence.Tokens[^1], .. judges ? draft!.Tokens.Take(follows ? count : count - 1) : []];
        return new Member
        {
            Generation = JobOf(sequence),
            Draft = draft,
            Slot = SlotOf(sequence),
            Judges = judges,
            Drafts = !judges || follows,
            Fed = fed,
            Start = !judges && count > 0 ? length - 1 + count : length - 1,
        };
    }

    private void Settle(Member member, ModelSide side)
    {
        Sequence sequence = member.Generation.Sequence;
        int accepted = 0;
        foreach ((HeadResult result, TopToken[] top) in member.Judged)
        {
            drawn.Add(new DrawnToken(member.Generation, result, top));
            if (result.Token != member.Draft!.Tokens[accepted])
            {
                break;
            }

            accepted++;
        }

        int tokens = member.Judges ? Math.Min(accepted + 1, member.JudgedCount) : 0;
        gauge.Count(passes: 1, tokens, drafted: tokens, accepted);
        if (member.Judges)
        {
            drafts.Remove(sequence);
            if (member.Drafts && accepted == member.JudgedCount)
            {
                Start(side, sequence.Tokens.Count + accepted);
            }
        }
        else if (member.Draft is { } draft)
        {
            draft.Tokens.Add(member.NewDraft);
        }
        else
        {
            Start(side, sequence.Tokens.Count);
        }

        void Start(ModelSide drafter, int end)
        {
            var draft = new Draft(drafter, member.Slot, end);
            draft.Tokens.Add(member.NewDraft);
            drafts[sequence] = draft;
        }
    }

    /// <summary>The drafts past a sequence's present end.</summary>
    private Draft? DraftOf(Sequence sequence) =>
        drafts.TryGetValue(sequence, out Draft? draft) && draft.End == sequence.Tokens.Count ? draft : null;

    private int SlotOf(Sequence sequence)
    {
        if (!slots.TryGetValue(sequence, out int slot))
        {
            slots[sequence] = slot = freeSlots.Pop();
        }

        return slot;
    }

    private void Forget(Sequence[] sequences)
    {
        foreach (Sequence sequence in sequences)
        {
            drafts.Remove(sequence);
            if (slots.Remove(sequence, out int slot))
            {
                freeSlots.Push(slot);
            }
        }
    }

    /// <summary>Every draft but the last is fed to its drafter, so it needs a place in the cache.</summary>
    private int MostDrafts(Sequence sequence) =>
        Math.Min(Math.Min(options.Depth, Remaining(sequence)), Places(sequence) - sequence.Tokens.Count + 1);

    private static int Places(Sequence sequence) => sequence.Blocks.Count * KvCache.BlockSize;

    /// <summary>The one job of a sequence that speculates.</summary>
    private static Generation JobOf(Sequence sequence) => (Generation)sequence.Jobs[0];

    private static int Remaining(Sequence sequence) => JobOf(sequence).Remaining;

    private static ModelSide Other(ModelSide side) => side == ModelSide.Reference ? ModelSide.Aligned : ModelSide.Reference;
}

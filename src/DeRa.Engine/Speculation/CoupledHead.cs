using DeRa.Engine.Execution;
using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Engine.Speculation;

/// <summary>
/// The fused head over judged positions and new drafts together: row for row what plain decoding runs, so the tokens are its tokens. Drafts are rows at
/// λ = 0 or 1 with the noise of the position they stand for. Final hidden states are kept of drafts, logits of nothing.
/// </summary>
internal sealed class CoupledHead(KernelSet kernels, ModelPair pair, SpeculationOptions options) : IDraftHead
{
    private readonly RowStore rows = new(
        kernels, options.MaxSequences * options.Depth, options.MaxSequences * (options.Depth + 1), pair.Reference.Config.HiddenSize,
        pair.Aligned.Config.HiddenSize);

    private readonly IndexBatch indices = new(kernels);

    // Requests with figures and without have heads of their own, as in plain steps: with one output matrix for both models they round differently.
    private readonly Part[] parts = [new(kernels, statistics: true), new(kernels, statistics: false)];
    private readonly List<((int Offset, int Count) Row, int To)> keeps = [];
    private ModelSide side;

    public void Prepare(ModelSide side, IReadOnlyList<Member> members)
    {
        this.side = side;
        indices.Clear();
        keeps.Clear();
        foreach (Part part in parts)
        {
            part.Prepare(side, [.. members.Where(member => member.Generation.Request.NeedsStatistics == part.Statistics)], indices, options.Depth);
        }

        foreach (Member member in members.Where(member => member.Drafts))
        {
            int index = member.Judges ? 0 : member.Draft?.Tokens.Count ?? 0;
            keeps.Add((indices.Add(member.First + member.Fed.Length - 1), (member.Slot * options.Depth) + index));
        }

        indices.Upload();
    }

    public void Enqueue(Matrix fresh)
    {
        ModelSide other = side == ModelSide.Reference ? ModelSide.Aligned : ModelSide.Reference;
        foreach (Part part in parts.Where(part => part.Head.Count > 0))
        {
            HeadModel own = Model(side).Head(rows.Gather(side, fresh, indices.Vector(part.Fresh)));
            HeadModel? others = part.Judged > 0 ? Model(other).Head(rows.Gather(other, rows.Kept(other), indices.Vector(part.Kept))) : null;
            (HeadModel? reference, HeadModel? aligned) = side == ModelSide.Reference ? (own, others) : (others, own);
            part.Head.Enqueue(reference, aligned, pair.Vocabulary, part.Statistics);
        }

        foreach (((int, int) row, int to) in keeps)
        {
            rows.Keep(side, fresh, indices.Vector(row), to);
        }
    }

    public void Read()
    {
        foreach (Part part in parts.Where(part => part.Head.Count > 0))
        {
            part.Read();
        }
    }

    public void Dispose()
    {
        rows.Dispose();
        indices.Dispose();
        foreach (Part part in parts)
        {
            part.Head.Dispose();
        }
    }

    private Transformer Model(ModelSide of) => of == ModelSide.Reference ? pair.Reference : pair.Aligned;

    /// <summary>One head: first the judged rows of its members in order, then their new drafts.</summary>
    private sealed class Part(KernelSet kernels, bool statistics)
    {
        private IReadOnlyList<Member> members = [];

        public HeadBatch Head { get; } = new(kernels);

        public bool Statistics { get; } = statistics;

        public int Judged { get; private set; }

        /// <summary>Rows among the hidden states of the model that runs.</summary>
        public (int Offset, int Count) Fresh { get; private set; }

        /// <summary>Rows among what was kept of the other; any row for new drafts, whose λ takes nothing of it.</summary>
        public (int Offset, int Count) Kept { get; private set; }

        public void Prepare(ModelSide side, IReadOnlyList<Member> members, IndexBatch indices, int depth)
        {
            this.members = members;
            Head.Clear();
            List<int> fresh = [], kept = [];
            foreach (Member member in members)
            {
                for (int i = 0; i < member.JudgedCount; i++)
                {
                    Head.Add(member.Generation, member.Lambda(i), member.DraftedContext(i), isDraft: false);
                    fresh.Add(member.First + i);
                    kept.Add((member.Draft!.Slot * depth) + i);
                }
            }

            Judged = fresh.Count;
            foreach (Member member in members.Where(member => member.Drafts))
            {
                Head.Add(
                    member.Generation, side == ModelSide.Reference ? 0 : 1, member.DraftedContext(member.Draft?.Tokens.Count ?? 0), isDraft: true);
                fresh.Add(member.First + member.Fed.Length - 1);
                kept.Add(0);
            }

            if (fresh.Count > 0)
            {
                (Fresh, Kept) = (indices.Add(fresh), indices.Add(kept));
                Head.Upload();
            }
        }

        public void Read()
        {
            Head.Read();
            int row = 0;
            foreach (Member member in members)
            {
                for (int i = 0; i < member.JudgedCount; i++, row++)
                {
                    member.Judged.Add((Head.Result(row), Head.TopTokens(row)));
                }
            }

            foreach (Member member in members.Where(member => member.Drafts))
            {
                member.NewDraft = Head.Result(row++).Token;
            }
        }
    }
}

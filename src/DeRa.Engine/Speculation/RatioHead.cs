using DeRa.Engine.Execution;
using DeRa.Kernels;
using DeRa.Models;

namespace DeRa.Engine.Speculation;

/// <summary>
/// Judges drafts by min(1, p/q) and replaces them from max(0, p − q), over stored logits: the model that runs projects each hidden state once, for judging
/// and for drafting, and the drafter's logits are still there. Memory: 4 bytes per vocabulary entry and row, of few rows.
/// </summary>
internal sealed class RatioHead : IDraftHead
{
    private readonly KernelSet kernels;
    private readonly ModelPair pair;
    private readonly int depth;
    private readonly RowStore rows;
    private readonly IndexBatch indices;
    private readonly HeadBatch judging, drafting;
    private readonly DeviceBuffer logits, mixture;
    private readonly List<((int Offset, int Count) Row, int To)> keeps = [];
    private IReadOnlyList<Member> members = [];
    private ModelSide side;
    private (int Offset, int Count) judgedFresh, judgedKept, judgedDrafts, draftedFresh;

    /// <exception cref="DeviceException">The device lacks the memory.</exception>
    public RatioHead(KernelSet kernels, ModelPair pair, SpeculationOptions options)
    {
        (this.kernels, this.pair, depth) = (kernels, pair, options.Depth);
        int most = options.MaxSequences * (depth + 1), widest = Math.Max(HeadRows(pair.Reference), HeadRows(pair.Aligned));
        rows = new RowStore(kernels, options.MaxSequences * depth, most, pair.Vocabulary, pair.Vocabulary);
        logits = kernels.Allocate((long)sizeof(float) * most * widest);
        mixture = kernels.Allocate((long)sizeof(float) * options.MaxSequences * depth * pair.Vocabulary);
        (indices, judging, drafting) = (new IndexBatch(kernels), new HeadBatch(kernels), new HeadBatch(kernels));
    }

    public void Prepare(ModelSide side, IReadOnlyList<Member> members)
    {
        (this.side, this.members) = (side, members);
        indices.Clear();
        judging.Clear();
        drafting.Clear();
        keeps.Clear();
        List<int> fresh = [], kept = [], drafts = [], drafted = [];
        foreach (Member member in members)
        {
            for (int i = 0; i < member.JudgedCount; i++)
            {
                judging.Add(member.Generation, member.Lambda(i), member.DraftedContext(i), isDraft: false);
                fresh.Add(member.First + i);
                kept.Add((member.Draft!.Slot * depth) + i);
                drafts.Add(member.Draft.Tokens[i]);
            }

            if (member.Drafts)
            {
                int count = member.Draft?.Tokens.Count ?? 0, row = member.First + member.Fed.Length - 1;
                drafting.Add(member.Generation, side == ModelSide.Reference ? 0 : 1, member.DraftedContext(count), isDraft: true);
                drafted.Add(row);
                keeps.Add((indices.Add(row), (member.Slot * depth) + (member.Judges ? 0 : count)));
            }
        }

        (judgedFresh, judgedKept, judgedDrafts, draftedFresh) = (indices.Add(fresh), indices.Add(kept), indices.Add(drafts), indices.Add(drafted));
        indices.Upload();
        foreach (HeadBatch head in (HeadBatch[])[judging, drafting])
        {
            if (head.Count > 0)
            {
                head.Upload();
            }
        }
    }

    public void Enqueue(Matrix fresh)
    {
        Transformer model = side == ModelSide.Reference ? pair.Reference : pair.Aligned;
        int headRows = HeadRows(model);
        model.EnqueueLogits(fresh, Matrix.Dense(logits, fresh.Rows, headRows));
        var all = new Matrix(logits, 0, fresh.Rows, pair.Vocabulary, headRows);
        if (judging.Count > 0)
        {
            ModelSide other = side == ModelSide.Reference ? ModelSide.Aligned : ModelSide.Reference;
            Matrix own = rows.Gather(side, all, indices.Vector(judgedFresh)), drafter = rows.Gather(other, rows.Kept(other), indices.Vector(judgedKept));
            Matrix z = Matrix.Dense(mixture, judging.Count, pair.Vocabulary);
            judging.EnqueueInterpolate(side == ModelSide.Reference ? own : drafter, side == ModelSide.Reference ? drafter : own, z);
            judging.EnqueueVerify(z, drafter, indices.Vector(judgedDrafts));
        }

        if (drafting.Count > 0)
        {
            drafting.EnqueueSample(rows.Gather(side, all, indices.Vector(draftedFresh)));
        }

        foreach (((int, int) row, int to) in keeps)
        {
            rows.Keep(side, all, indices.Vector(row), to);
        }
    }

    public void Read()
    {
        int judged = 0, drafted = 0;
        if (judging.Count > 0)
        {
            judging.Read();
        }

        if (drafting.Count > 0)
        {
            drafting.Read();
        }

        foreach (Member member in members)
        {
            for (int i = 0; i < member.JudgedCount; i++)
            {
                // Stored logits of the mixture say nothing of the models.
                HeadResult result = judging.Result(judged++) with
                {
                    LogProbReference = float.NaN,
                    LogProbAligned = float.NaN,
                    KlReference = float.NaN,
                    KlAligned = float.NaN,
                };
                member.Judged.Add((result, []));
            }

            if (member.Drafts)
            {
                member.NewDraft = drafting.Result(drafted++).Token;
            }
        }
    }

    public void Dispose()
    {
        rows.Dispose();
        indices.Dispose();
        judging.Dispose();
        drafting.Dispose();
        logits.Dispose();
        mixture.Dispose();
    }

    private static int HeadRows(Transformer model) => model.Head(default).Output.Rows;
}

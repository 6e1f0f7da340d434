using System.Runtime.CompilerServices;
using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>
/// Scores of stored logits and their cut, kept for <see cref="VerifyDraftsKernel{TForm}"/>: a kernel of its own, because PoCL replicates what follows a
/// search for a cut, and both searches in one kernel do not finish compiling. One group per row.
/// </summary>
internal static class StoredScoresKernel<TForm>
    where TForm : struct, IGroupForm
{
    public static void Run(StoredScoresArgs args)
    {
        HeadMemory memory = HeadMemory.Allocate<CooperativeProjector<Float32Format>>();
        int index = Grid.IdxX, columns = args.Z.Columns;
        StoredSums sums = StoredScores<TForm>.Fill(
            args.Z.Data, args.Z.Row(index), args.Rows[index], args.Adjustments, args.Scores, (long)index * columns, columns, memory);
        for (int writer = Group.IdxX; writer < 1; writer += Group.DimX)
        {
            args.Sums[index] = sums;
        }
    }
}

/// <summary>
/// Accepts or replaces one drafted token per row (<see cref="KernelSet.VerifyDrafts"/>) from the scores of both distributions: where the draft falls every
/// work-item looks for the best log(p − q) + g among its tokens. One group per row.
/// </summary>
internal static class VerifyDraftsKernel<TForm>
    where TForm : struct, IGroupForm
{
    public static void Run(VerifyDraftsArgs args)
    {
        HeadMemory memory = HeadMemory.Allocate<CooperativeProjector<Float32Format>>();
        int index = Grid.IdxX, columns = args.Z.Columns;
        HeadRow row = args.Rows[index];
        long first = (long)index * columns;
        StoredSums p = args.Sums[index], q = args.DraftSums[index];
        float logP = LogSum(args.Scores, first, columns, p, memory), logQ = LogSum(args.DraftScores, first, columns, q, memory);
        int draft = args.Drafts.At(index);
        float log = Log(args.Scores[first + draft], p.Least, logP), draftLog = Log(args.DraftScores[first + draft], q.Least, logQ);
        float u = DraftNoise.Uniform(DraftNoise.AcceptanceBits(row.SeedLow, row.SeedHigh, row.Stream, row.Position));
        bool greedy = row.Temperature == 0f, stands = MathF.Log(u) <= log - draftLog;

        float best = float.NegativeInfinity;
        int bestToken = int.MaxValue;
        for (int i = Group.IdxX; i < columns; i += Group.DimX)
        {
            float value = greedy
                ? args.Scores[first + i]
                : Excess(args.Scores[first + i], p.Least, logP, args.DraftScores[first + i], q.Least, logQ);
            if (!greedy && value > float.NegativeInfinity)
            {
                value += GumbelNoise.FromBits(DraftNoise.ReplacementBits(row.SeedLow, row.SeedHigh, row.Stream, row.Position, i));
            }

            if (TileFold.IsBetter(value, i, best, bestToken))
            {
                best = value;
                bestToken = i;
            }
        }

        int token = Draws.Best<TForm>(memory.Values, memory.Tokens, best, bestToken);
        if (Group.IdxX == 0)
        {
            bool forbidden = !(p.Adjusted.Sum > 0), nothing = memory.Values[0] == float.NegativeInfinity; // nothing left by rounding
            token = greedy || !(stands || nothing) ? token : draft;
            token = forbidden || token < 0 || token >= columns ? 0 : token;
            HeadResult result = args.Results[index];
            result.Token = token;
            result.LogProb = args.Z.Data[args.Z.Row(index) + token] - p.Plain.LogSum();
            args.Results[index] = result;
        }
    }

    /// <summary>log Σ e^s over the kept scores.</summary>
    private static float LogSum(ArrayView<float> scores, long first, int columns, StoredSums sums, HeadMemory memory) =>
        sums.Adjusted.Max
        + MathF.Log(Team.Sum<TForm>(
            memory.Values, Cut.Weight(scores, first, columns, sums.Adjusted.Max, true, sums.Least == 0u ? 0u : sums.Least - 1u)));

    private static float Log(float score, uint least, float logSum) =>
        OrderedBits.Of(score) >= least ? score - logSum : float.NegativeInfinity;

    /// <summary>log(p − q) where p is larger, else −∞.</summary>
    private static float Excess(float score, uint least, float logP, float draftScore, uint draftLeast, float logQ)
    {
        float log = Log(score, least, logP), excess = log - Log(draftScore, draftLeast, logQ);
        if (!(excess > 0f))
        {
            return float.NegativeInfinity; // −∞ − −∞ is NaN: neither keeps the token
        }

        // 1 − e^−x loses its digits for a small x; there it is x − x²/2 + x³/6.
        return log + MathF.Log(excess < 0.01f ? excess * (1f - excess * (0.5f - excess * (1f / 6f))) : 1f - MathF.Exp(-excess));
    }
}

/// <summary>Arguments of <see cref="StoredScoresKernel{TForm}"/>.</summary>
internal struct StoredScoresArgs
{
    public MatrixView Z;
    public ArrayView<HeadRow> Rows;
    public ArrayView<TokenAdjustment> Adjustments;

    /// <summary>[rows, vocab] s.</summary>
    public ArrayView<float> Scores;

    /// <summary>[rows].</summary>
    public ArrayView<StoredSums> Sums;
}

/// <summary>Arguments of <see cref="VerifyDraftsKernel{TForm}"/>.</summary>
internal struct VerifyDraftsArgs
{
    public MatrixView Z;
    public IntView Drafts;
    public ArrayView<HeadRow> Rows;
    public ArrayView<HeadResult> Results;

    /// <summary>[rows, vocab] s of the mixture.</summary>
    public ArrayView<float> Scores;

    /// <summary>[rows, vocab] s of the drafts' logits.</summary>
    public ArrayView<float> DraftScores;

    /// <summary>[rows] of the mixture.</summary>
    public ArrayView<StoredSums> Sums;

    /// <summary>[rows] of the drafts' logits.</summary>
    public ArrayView<StoredSums> DraftSums;
}

public partial class PortableKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueVerifyDrafts(
        Matrix z, Matrix draftLogits, IntVector drafts, DeviceBuffer rows, DeviceBuffer adjustments, DeviceBuffer results)
    {
        var scores = new ArrayView<float>[2];
        var sums = new ArrayView<StoredSums>[2];
        for (int i = 0; i < 2; i++)
        {
            string of = i == 0 ? "mixture" : "drafts";
            scores[i] = Scratch($"scores of {of}", (long)z.Rows * z.Columns * sizeof(float)).As<float>();
            sums[i] = Scratch($"sums of {of}", (long)z.Rows * Unsafe.SizeOf<StoredSums>()).As<StoredSums>();
            LaunchInOrder(form == KernelForm.Serial ? StoredScoresKernel<SerialForm>.Run : StoredScoresKernel<CooperativeForm>.Run, z.Rows, new StoredScoresArgs
            {
                Z = View(i == 0 ? z : draftLogits),
                Rows = Own(rows).As<HeadRow>(),
                Adjustments = Own(adjustments).As<TokenAdjustment>(),
                Scores = scores[i],
                Sums = sums[i],
            });
        }

        LaunchInOrder(form == KernelForm.Serial ? VerifyDraftsKernel<SerialForm>.Run : VerifyDraftsKernel<CooperativeForm>.Run, z.Rows, new VerifyDraftsArgs
        {
            Z = View(z),
            Drafts = View(drafts),
            Rows = Own(rows).As<HeadRow>(),
            Results = Own(results).As<HeadResult>(),
            Scores = scores[0],
            DraftScores = scores[1],
            Sums = sums[0],
            DraftSums = sums[1],
        });
    }
}

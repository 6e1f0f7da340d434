using System.Runtime.CompilerServices;

namespace DeRa.Kernels.Cpu;

// What a worker does with one row's logits of one tile.
internal unsafe partial struct RealignHeadOperation
{
    /// <summary>First sweep: everything that one look at the logits can tell.</summary>
    private readonly void FoldRow(int row, int tile, int from, int count, float* reference, float* aligned, float* z, float* s)
    {
        HeadRow* options = Rows + row;
        HeadPartial* partial = partials + (long)row * Tiles + tile;
        Sums(partial, count, reference, aligned, z);
        if (Top != null)
        {
            int wanted = Math.Clamp(options->TopTokens, 0, HeadLimits.MaxTopTokens);
            var list = new Candidates(tops + ((long)row * Tiles + tile) * HeadLimits.MaxTopTokens, wanted);
            if (wanted > 0)
            {
                list.Offer(z, from, count);
            }

            partial->TopCount = list.Count;
        }

        s = Sampled(options, from, count, z, s);
        partial->CandidateCount = 0;
        partial->Discarded = float.NegativeInfinity;
        partial->Sampled = ExponentialSum.Empty;
        partial->Best = new Candidate { Value = float.NegativeInfinity, Token = from };
        if (!(options->Temperature > 0))
        {
            int best = MixtureMath.ArgMax(s, count);
            partial->Best = new Candidate { Value = s[best], Token = from + best };
        }
        else if (RowCut.IsNeeded(options, Vocabulary))
        {
            partial->Sampled = SumOf(s, count);
            var list = new Candidates(candidates + ((long)row * Tiles + tile) * HeadPartial.CandidateCapacity, HeadPartial.CandidateCapacity);
            list.Offer(s, from, count);
            partial->CandidateCount = list.Count;
            partial->Discarded = list.Discarded;
        }
        else
        {
            GumbelArgMax.Improve(options, s, from, count, ref partial->Best);
        }
    }

    /// <summary>Later sweeps: the digit or the draw that the row waits for.</summary>
    private readonly void ResweepRow(int row, int tile, int from, int count, float* z)
    {
        HeadRow* options = Rows + row;
        RowCut* cut = &states[row].Cut;
        float* s = Sampled(options, from, count, z, z);
        if (cut->Stage != CutStage.Draw)
        {
            histograms[row].Add(s, count, cut);
            return;
        }

        MixtureMath.Cut(s, count, cut->Threshold);
        HeadPartial* partial = partials + (long)row * Tiles + tile;
        partial->Best = new Candidate { Value = float.NegativeInfinity, Token = from };
        GumbelArgMax.Improve(options, s, from, count, ref partial->Best);
    }

    private readonly void Sums(HeadPartial* partial, int count, float* reference, float* aligned, float* z)
    {
        if (!Statistics || !HasBoth)
        {
            partial->Mixture = SumOf(z, count);
            return;
        }

        float max = MixtureMath.Max(z, count);
        float sum = MixtureMath.SumExp(z, reference, aligned, count, max, out float weighted);
        partial->Mixture = new ExponentialSum { Max = max, Sum = sum, Weighted = weighted };
        partial->Reference = SumOf(reference, count);
        partial->Aligned = SumOf(aligned, count);
    }

    private static ExponentialSum SumOf(float* x, int count)
    {
        float max = MixtureMath.Max(x, count);
        return new ExponentialSum { Max = max, Sum = MixtureMath.SumExp(x, count, max) };
    }

    /// <summary>z′, or s = z′/T where the row samples; z itself where nothing changes it.</summary>
    private readonly float* Sampled(HeadRow* options, int from, int count, float* z, float* target)
    {
        bool samples = options->Temperature > 0;
        if (!samples && options->AdjustmentCount == 0)
        {
            return z;
        }

        if (target != z)
        {
            Unsafe.CopyBlockUnaligned(target, z, (uint)((count + 7) / 8 * 8 * sizeof(float)));
        }

        Adjustments.Apply(options, Entries, target, from, count);
        if (samples)
        {
            MixtureMath.Divide(target, count, options->Temperature);
        }

        return target;
    }
}

using DeRa.Kernels.Verification;

namespace DeRa.Kernels.Tests;

/// <summary>The naive set with one mistake in the head or in scoring each.</summary>
public static class HeadMutants
{
    public static IEnumerable<Mutant> All { get; } =
    [
        new("lambda weighs the wrong model", "RealignHead", () => new Remixed(lambda => 1 - lambda)),
        new("lambda clamped to 1", "RealignHead", () => new Remixed(lambda => MathF.Min(lambda, 1))),
        new("lambda clamped to 1 in scoring", "RealignScore", () => new Remixed(lambda => MathF.Min(lambda, 1))),
        new("temperature ignored", "RealignHead", () => new ChangedRow(row => row with { Temperature = row.Temperature > 0 ? 1 : 0 })),
        new("greedy samples", "RealignHead", () => new ChangedRow(row => row with { Temperature = row.Temperature > 0 ? row.Temperature : 1 })),
        new("top-k keeps one more", "RealignHead", () => new ChangedRow(row => row with { TopK = row.TopK > 0 ? row.TopK + 1 : 0 })),
        new("top-k keeps one less", "RealignHead", () => new ChangedRow(row => row with { TopK = row.TopK > 1 ? row.TopK - 1 : row.TopK })),
        new("top-p ignored", "RealignHead", () => new ChangedRow(row => row with { TopP = 1 })),
        new("top-p over all tokens instead of the top k", "RealignHead", () => new TopPBeforeTopK()),
        new("ties at the cut dropped", "RealignHead", () => new TiesDropped()),
        new("min-p ignored", "RealignHead", () => new ChangedRow(row => row with { MinP = 0 })),
        new("repetition penalty ignored", "RealignHead", () => new ChangedRow(row => row with { RepetitionPenalty = 1 })),
        new("presence penalty ignored", "SampleLogits", () => new ChangedRow(row => row with { PresencePenalty = 0 })),
        new("frequency penalty ignored", "SampleLogits", () => new ChangedRow(row => row with { FrequencyPenalty = 0 })),
        new("bias ignored", "RealignHead", () => new AdjustmentsChanged(entry => entry with { Bias = 0 })),
        new("stream ignored", "RealignHead", () => new ChangedRow(row => row with { Stream = 0 })),
        new("position ignored", "RealignHead", () => new ChangedRow(row => row with { Position = 0 })),
        new("noise added twice", "RealignHead", () => new LoudNoise()),
        new("divergences the wrong way round", "RealignHead", () => new SwappedDivergence()),
        new("half the difference in scoring", "RealignScore", () => new HalfDifference()),
        new("drafts always stand", "VerifyDrafts", () => new ChangedAcceptance(_ => 0)),
        new("drafts never stand", "VerifyDrafts", () => new ChangedAcceptance(_ => float.PositiveInfinity)),
        new("drafts stand by the noise of another position", "VerifyDrafts", () => new ChangedAcceptance(row => Uniform(row, row.Position + 1))),
        new("drafts replaced by a draw from p", "VerifyDrafts", () => new ReplacedFromP()),
        new("drafts replaced by the largest p - q", "VerifyDrafts", () => new ReplacedWithoutNoise()),
        new("drafts verified before the cuts", "VerifyDrafts", () => new VerifiedBeforeCuts()),
        new("softmax without its maximum", "Softmax", () => new SoftmaxOverflow()),
    ];

    private sealed class Remixed(Func<float, float> change) : NaiveKernelSet
    {
        protected override float[] Mix(float[]? reference, float[]? aligned, float lambda) => base.Mix(reference, aligned, change(lambda));
    }

    private sealed class ChangedRow(Func<HeadRow, HeadRow> change) : NaiveKernelSet
    {
        protected override int Draw(float[] z, HeadRow row, ReadOnlySpan<TokenAdjustment> adjustments) => base.Draw(z, change(row), adjustments);
    }

    private sealed class TopPBeforeTopK : NaiveKernelSet
    {
        protected override void Cut(float[] scores, HeadRow row)
        {
            base.Cut(scores, row with { TopK = 0 });
            base.Cut(scores, row with { TopP = 1 });
        }
    }

    private sealed class TiesDropped : NaiveKernelSet
    {
        protected override void Cut(float[] scores, HeadRow row)
        {
            base.Cut(scores, row);
            for (int v = scores.Length - 1, kept = scores.Count(s => s > float.NegativeInfinity); v >= 0 && row.TopK > 0 && kept > row.TopK; v--)
            {
                if (scores[v] == scores.Where(s => s > float.NegativeInfinity).Min())
                {
                    (scores[v], kept) = (float.NegativeInfinity, kept - 1);
                }
            }
        }
    }

    private sealed class AdjustmentsChanged(Func<TokenAdjustment, TokenAdjustment> change) : NaiveKernelSet
    {
        protected override int Draw(float[] z, HeadRow row, ReadOnlySpan<TokenAdjustment> adjustments) =>
            base.Draw(z, row, adjustments.ToArray().Select(change).ToArray());
    }

    private sealed class LoudNoise : NaiveKernelSet
    {
        protected override float Noise(HeadRow row, int token) => 2 * base.Noise(row, token);
    }

    private sealed class SwappedDivergence : NaiveKernelSet
    {
        protected override float Divergence(float[] p, float[] q) => base.Divergence(q, p);
    }

    private sealed class HalfDifference : NaiveKernelSet
    {
        protected override void EnqueueRealignScore(
            HeadModel reference, HeadModel aligned, int vocabulary, IntVector targets, DeviceBuffer lambdas, int lambdaCount,
            DeviceBuffer statistics, DeviceBuffer targetLogits)
        {
            base.EnqueueRealignScore(reference, aligned, vocabulary, targets, lambdas, lambdaCount, statistics, targetLogits);
            var all = new ScoreStatistic[targets.Length * lambdaCount];
            Read<ScoreStatistic>(statistics, 0, all);
            Write<ScoreStatistic>(statistics, 0, [.. all.Select(s => s with { WeightedDifference = s.WeightedDifference / 2 })]);
        }
    }

    private static float Uniform(HeadRow row, int position) =>
        DraftNoise.Uniform(DraftNoise.AcceptanceBits(row.SeedLow, row.SeedHigh, row.Stream, position));

    private sealed class ChangedAcceptance(Func<HeadRow, float> uniform) : NaiveKernelSet
    {
        protected override float Acceptance(HeadRow row) => uniform(row);
    }

    private sealed class ReplacedFromP : NaiveKernelSet
    {
        protected override int Replace(float[] p, float[] q, int draft, HeadRow row) =>
            base.Replace(p, [.. q.Select(_ => float.NegativeInfinity)], draft, row);
    }

    private sealed class ReplacedWithoutNoise : NaiveKernelSet
    {
        protected override float ReplacementNoise(HeadRow row, int token) => 0;
    }

    private sealed class VerifiedBeforeCuts : NaiveKernelSet
    {
        protected override int Verify(float[] z, float[] draftZ, int draft, HeadRow row, ReadOnlySpan<TokenAdjustment> adjustments) =>
            base.Verify(z, draftZ, draft, row with { TopK = 0, TopP = 1, MinP = 0 }, adjustments);
    }

    private sealed class SoftmaxOverflow : NaiveKernelSet
    {
        protected override void EnqueueSoftmax(Matrix x)
        {
            for (int row = 0; row < x.Rows; row++)
            {
                var values = new float[x.Columns];
                long at = 4 * (x.Offset + (long)row * x.RowStride);
                Read<float>(x.Buffer, at, values);
                float sum = values.Sum(MathF.Exp);
                Write<float>(x.Buffer, at, [.. values.Select(value => MathF.Exp(value) / sum)]);
            }
        }
    }
}

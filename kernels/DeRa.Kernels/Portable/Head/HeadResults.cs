using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>Writes what the head says of a row.</summary>
internal static class HeadResults
{
    /// <summary>The most likely tokens from the tiles' candidates, which always hold them all. Called by every member of the group.</summary>
    public static void WriteTopTokens<TForm>(HeadArgs args, HeadMemory memory, int index, HeadRow row, float logSum)
        where TForm : struct, IGroupForm
    {
        int wanted = IntrinsicMath.Min(IntrinsicMath.Min(row.TopTokens, HeadLimits.MaxTopTokens), args.Vocabulary);
        int count = args.Tiles * HeadArgs.Candidates;
        float above = float.PositiveInfinity;
        int aboveToken = -1;
        for (int i = 0; i < wanted; i++)
        {
            // The best of those that come after the previous one.
            float best = float.NegativeInfinity;
            int bestToken = int.MaxValue;
            for (int candidate = Group.IdxX; candidate < count; candidate += Group.DimX)
            {
                float score = args.TopScores[(long)index * count + candidate];
                int token = args.TopIds[(long)index * count + candidate];
                if (TileFold.IsBetter(above, aboveToken, score, token) && TileFold.IsBetter(score, token, best, bestToken))
                {
                    best = score;
                    bestToken = token;
                }
            }

            aboveToken = Draws.Best<TForm>(memory.Values, memory.Tokens, best, bestToken);
            above = memory.Values[0];
            for (int writer = Group.IdxX; writer < 1; writer += Group.DimX)
            {
                args.TopTokens[(long)index * HeadLimits.MaxTopTokens + i] = new TopToken { TokenId = aboveToken, LogProb = above - logSum };
            }
        }

        TForm.Barrier();
    }
}

/// <summary>Writes a row's result once its token is known.</summary>
internal static class HeadTokens<TReference, TAligned>
    where TReference : struct, IProjector
    where TAligned : struct, IProjector
{
    /// <summary>
    /// Projects the token once more for its own logits, which no sweep kept. KL(p ‖ r) = λ·E[d] − log Z_λ + log Z_r and KL(p ‖ a) =
    /// −(1 − λ)·E[d] − log Z_λ + log Z_a, d = z_a − z_r under p; never below 0. Called by every member of the group.
    /// </summary>
    public static void Write(HeadArgs args, HeadMemory memory, int index, HeadRow row, TileFold all, int token, int extraSweeps)
    {
        int known = token >= 0 && token < args.Vocabulary ? token : 0; // no logit compares when all are NaN
        TReference.Barrier();
        HeadTile<TReference, TAligned>.ProjectToken(args, memory, known, index);
        for (int writer = Group.IdxX; writer < 1; writer += Group.DimX)
        {
            args.Results[index] = Result(args, memory, row, all, known, extraSweeps);
        }
    }

    private static HeadResult Result(HeadArgs args, HeadMemory memory, HeadRow row, TileFold all, int known, int extraSweeps)
    {
        MixedLogit logit = HeadScores.At(args, row, memory.Reference[0], memory.Aligned[0], known);
        float logSum = all.Mixture.LogSum();
        var result = new HeadResult
        {
            Token = known,
            LogProb = logit.Mixture - logSum,
            LogProbReference = float.NaN,
            LogProbAligned = float.NaN,
            KlReference = float.NaN,
            KlAligned = float.NaN,
            TopCount = args.HasTopTokens == 0
                ? 0
                : IntrinsicMath.Min(IntrinsicMath.Min(row.TopTokens, HeadLimits.MaxTopTokens), args.Vocabulary),
            ExtraSweeps = extraSweeps,
        };
        bool both = args.Reference.IsPresent != 0 && args.Aligned.IsPresent != 0;
        float meanDifference = both ? all.Mixture.Difference / all.Mixture.Sum : 0f;
        if (args.Statistics != 0 && args.Reference.IsPresent != 0)
        {
            float other = all.Reference.LogSum(), kl = both ? row.Lambda * meanDifference - logSum + other : 0f;
            result.LogProbReference = logit.Reference - other;
            result.KlReference = kl < 0 ? 0 : kl;
        }

        if (args.Statistics != 0 && args.Aligned.IsPresent != 0)
        {
            float other = all.Aligned.LogSum(), kl = both ? (row.Lambda - 1f) * meanDifference - logSum + other : 0f;
            result.LogProbAligned = logit.Aligned - other;
            result.KlAligned = kl < 0 ? 0 : kl;
        }

        return result;
    }
}

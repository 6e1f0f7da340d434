using ILGPU;

namespace DeRa.Kernels.Portable;

/// <summary>A tile of the vocabulary for a block of rows, from hidden states to adjusted scores, all of it in shared memory.</summary>
internal static class HeadTile<TReference, TAligned>
    where TReference : struct, IProjector
    where TAligned : struct, IProjector
{
    /// <summary>Projects the tile with both models; a barrier ends it.</summary>
    public static void Project(HeadArgs args, HeadMemory memory, int tile, int firstRow, int rows)
    {
        int first = tile * HeadArgs.Tile, count = IntrinsicMath.Min(HeadArgs.Tile, args.Vocabulary - first);
        for (int part = 0; part < count; part += HeadArgs.Part)
        {
            int outputs = IntrinsicMath.Min(HeadArgs.Part, count - part);
            if (args.Reference.IsPresent != 0)
            {
                Rows<TReference>(args.Reference, memory.Reference.SubView(part), HeadArgs.Tile, memory, first + part, outputs, firstRow, rows);
            }

            if (args.Aligned.IsPresent != 0)
            {
                Rows<TAligned>(args.Aligned, memory.Aligned.SubView(part), HeadArgs.Tile, memory, first + part, outputs, firstRow, rows);
            }
        }

        TReference.Barrier();
    }

    /// <summary>Logits of one token for one row under both models, in element 0 of both memories; the bits are those of the sweep.</summary>
    public static void ProjectToken(HeadArgs args, HeadMemory memory, int token, int row)
    {
        if (args.Reference.IsPresent != 0)
        {
            Rows<TReference>(args.Reference, memory.Reference, 1, memory, token, 1, row, 1);
        }

        if (args.Aligned.IsPresent != 0)
        {
            Rows<TAligned>(args.Aligned, memory.Aligned, 1, memory, token, 1, row, 1);
        }

        TReference.Barrier();
    }

    private static void Rows<TProjector>(
        HeadModelView model, ArrayView<float> target, int stride, HeadMemory memory, int token, int outputs, int firstRow, int rows)
        where TProjector : struct, IProjector => TProjector.Rows(
        model.Output.Data, model.Output.Offset + (long)token * model.Output.RowStride, model.Hidden.Data, model.Hidden.Row(firstRow), model.Hidden.RowStride,
        new ProjectionSize { Depth = model.Hidden.Columns, Outputs = outputs, Rows = rows, Stride = model.Output.RowStride }, target, stride, memory.Projection);
}

/// <summary>From projections to scores.</summary>
internal static class HeadScores
{
    /// <summary>z = (1 − λ)·z_r + λ·z_a; a model with weight 0 says nothing, whatever its logits.</summary>
    public static float Mix(float reference, float aligned, float lambda) =>
        lambda == 0f ? reference : lambda == 1f ? aligned : (1f - lambda) * reference + lambda * aligned;

    /// <summary>z and, where both models ran, their logits.</summary>
    public static MixedLogit At(HeadArgs args, HeadRow row, float reference, float aligned, int token)
    {
        if (args.Reference.IsPresent == 0)
        {
            float only = args.Aligned.Logit(aligned, token);
            return new() { Mixture = only, Reference = only, Aligned = only };
        }

        float r = args.Reference.Logit(reference, token);
        if (args.Aligned.IsPresent == 0)
        {
            return new() { Mixture = r, Reference = r, Aligned = r };
        }

        float a = args.Aligned.Logit(aligned, token);
        return new() { Mixture = Mix(r, a, row.Lambda), Reference = r, Aligned = a };
    }

    /// <summary>
    /// Projections become the mixture (in Reference) and the adjusted scores (in Aligned), −∞ past the vocabulary; folds of the models'
    /// statistics in Folds when wanted. Barriers included.
    /// </summary>
    public static void Compute<TForm>(HeadArgs args, HeadMemory memory, int tile, int firstRow, int rows, bool fold)
        where TForm : struct, IProjector
    {
        RowTeam team = RowTeam.Here(TForm.Block);
        int first = tile * HeadArgs.Tile;
        for (int r = team.FirstRow; r < rows; r += team.RowStep)
        {
            TileFold sums = TForm.Mix(args, memory, team, args.Rows[firstRow + r], r, first, fold);
            if (fold)
            {
                memory.Folds[r * team.Lanes + team.Lane] = sums;
            }
        }

        TForm.Barrier();
        for (int r = team.FirstRow; r < rows; r += team.RowStep)
        {
            HeadRow row = args.Rows[firstRow + r];
            int end = row.AdjustmentStart + row.AdjustmentCount;
            for (int i = Adjustment.First(args.Adjustments, row.AdjustmentStart, end, first) + team.Lane; i < end; i += team.Lanes)
            {
                TokenAdjustment adjustment = args.Adjustments[i];
                if (adjustment.TokenId >= IntrinsicMath.Min(first + HeadArgs.Tile, args.Vocabulary))
                {
                    break;
                }

                int at = r * HeadArgs.Tile + adjustment.TokenId - first;
                memory.Aligned[at] = Adjustment.Apply(adjustment, row, memory.Aligned[at]);
            }
        }

        TForm.Barrier();
        for (int r = team.FirstRow; r < rows; r += team.RowStep)
        {
            float temperature = args.Rows[firstRow + r].Temperature;
            for (int quad = team.Lane; quad < HeadArgs.Tile / 4 && temperature != 0f; quad += team.Lanes)
            {
                for (int at = r * HeadArgs.Tile + 4 * quad; at < r * HeadArgs.Tile + 4 * quad + 4; at++)
                {
                    memory.Aligned[at] /= temperature;
                }
            }
        }

        TForm.Barrier();
    }

    /// <summary>The quads of this lane.</summary>
    public static TileFold MixShare(HeadArgs args, HeadMemory memory, RowTeam team, HeadRow row, int r, int first, bool fold)
    {
        TileFold sums = TileFold.Empty();
        for (int quad = team.Lane; quad < HeadArgs.Tile / 4; quad += team.Lanes)
        {
            for (int entry = 4 * quad; entry < 4 * quad + 4; entry++)
            {
                int at = r * HeadArgs.Tile + entry, token = first + entry;
                if (token >= args.Vocabulary)
                {
                    memory.Reference[at] = float.NegativeInfinity;
                    memory.Aligned[at] = float.NegativeInfinity;
                    continue;
                }

                MixedLogit logit = At(args, row, memory.Reference[at], memory.Aligned[at], token);
                memory.Reference[at] = logit.Mixture;
                memory.Aligned[at] = logit.Mixture;
                if (fold)
                {
                    sums.Mixture = RunningMoment.Add(sums.Mixture, logit.Mixture, logit.Aligned - logit.Reference);
                    if (args.Statistics != 0)
                    {
                        sums.Reference = RunningMoment.Add(sums.Reference, logit.Reference, 0f);
                        sums.Aligned = RunningMoment.Add(sums.Aligned, logit.Aligned, 0f);
                    }
                }
            }
        }

        return sums;
    }

    /// <summary>The best s + g of the quads of this lane among the scores that are at least <paramref name="least"/>, or the best s if greedy.</summary>
    public static TileFold BestOfShare(HeadMemory memory, RowTeam team, HeadRow row, int r, int first, uint least, TileFold sums)
    {
        for (int quad = team.Lane; quad < HeadArgs.Tile / 4; quad += team.Lanes)
        {
            Words4 words = row.Temperature == 0f
                ? default
                : Philox.Generate(
                    new Words4 { X = (uint)(first / 4 + quad), Y = (uint)row.Position, Z = row.Stream, W = 0 }, row.SeedLow, row.SeedHigh);
            for (int i = 0; i < 4; i++)
            {
                float score = memory.Aligned[r * HeadArgs.Tile + 4 * quad + i];
                if (OrderedBits.Of(score) < least)
                {
                    continue;
                }

                int token = first + 4 * quad + i;
                float value = row.Temperature == 0f ? score : score + GumbelNoise.FromBits(words.Pick(i));
                if (TileFold.IsBetter(value, token, sums.Best, sums.BestToken))
                {
                    sums.Best = value;
                    sums.BestToken = token;
                }
            }
        }

        return sums;
    }
}

/// <summary>One token's logits.</summary>
internal struct MixedLogit
{
    public float Mixture;
    public float Reference;
    public float Aligned;
}

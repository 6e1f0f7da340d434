namespace DeRa.Kernels.Verification;

public unsafe partial class NaiveKernelSet
{
    /// <inheritdoc />
    protected override void EnqueueRealignHead(
        HeadModel? reference, HeadModel? aligned, int vocabulary, DeviceBuffer rows, DeviceBuffer adjustments, bool statistics,
        DeviceBuffer results, DeviceBuffer? topTokens)
    {
        int count = (reference ?? aligned)!.Hidden.Rows;
        float[][]? r = reference is null ? null : Logits(reference, vocabulary), a = aligned is null ? null : Logits(aligned, vocabulary);
        for (int t = 0; t < count; t++)
        {
            HeadRow row = ((HeadRow*)Bytes(rows))[t];
            float[] z = Mix(r?[t], a?[t], row.Lambda);
            var result = new HeadResult
            {
                LogProbReference = float.NaN,
                LogProbAligned = float.NaN,
                KlReference = float.NaN,
                KlAligned = float.NaN,
                Token = Draw(z, row, Entries(adjustments, row)),
            };
            float[] logs = LogSoftmax(z);
            result.LogProb = logs[result.Token];
            if (statistics && r is not null)
            {
                float[] other = LogSoftmax(r[t]);
                (result.LogProbReference, result.KlReference) = (other[result.Token], Divergence(logs, other));
            }

            if (statistics && a is not null)
            {
                float[] other = LogSoftmax(a[t]);
                (result.LogProbAligned, result.KlAligned) = (other[result.Token], Divergence(logs, other));
            }

            if (topTokens is not null)
            {
                int[] best = [.. Enumerable.Range(0, vocabulary).OrderByDescending(v => z[v]).ThenBy(v => v).Take(row.TopTokens)];
                result.TopCount = best.Length;
                TopToken* to = (TopToken*)Bytes(topTokens) + (long)t * HeadLimits.MaxTopTokens;
                for (int i = 0; i < best.Length; i++)
                {
                    to[i] = new TopToken { TokenId = best[i], LogProb = logs[best[i]] };
                }
            }

            ((HeadResult*)Bytes(results))[t] = result;
        }
    }

    /// <inheritdoc />
    protected override void EnqueueRealignScore(
        HeadModel reference, HeadModel aligned, int vocabulary, IntVector targets, DeviceBuffer lambdas, int lambdaCount,
        DeviceBuffer statistics, DeviceBuffer targetLogits)
    {
        float[][] r = Logits(reference, vocabulary), a = Logits(aligned, vocabulary);
        for (int t = 0; t < r.Length; t++)
        {
            int target = Ints(targets)[t];
            ((TargetLogits*)Bytes(targetLogits))[t] = new TargetLogits { Reference = r[t][target], Aligned = a[t][target] };
            for (int l = 0; l < lambdaCount; l++)
            {
                float[] z = Mix(r[t], a[t], Floats(lambdas)[l]);
                var statistic = new ScoreStatistic { Max = z.Max() };
                for (int v = 0; v < vocabulary; v++)
                {
                    float weight = MathF.Exp(z[v] - statistic.Max);
                    statistic.Sum += weight;
                    statistic.WeightedDifference += weight * (a[t][v] - r[t][v]);
                }

                ((ScoreStatistic*)Bytes(statistics))[(long)t * lambdaCount + l] = statistic;
            }
        }
    }

    /// <inheritdoc />
    protected override void EnqueueInterpolate(Matrix reference, Matrix aligned, DeviceBuffer rows, Matrix z)
    {
        for (int t = 0; t < z.Rows; t++)
        {
            float lambda = ((HeadRow*)Bytes(rows))[t].Lambda;
            for (int v = 0; v < z.Columns; v++)
            {
                Row(z, t)[v] = (1 - lambda) * Row(reference, t)[v] + lambda * Row(aligned, t)[v];
            }
        }
    }

    /// <inheritdoc />
    protected override void EnqueueSoftmax(Matrix x)
    {
        for (int t = 0; t < x.Rows; t++)
        {
            var row = new Span<float>(Row(x, t), x.Columns);
            float max = float.NegativeInfinity, sum = 0;
            foreach (float value in row)
            {
                max = MathF.Max(max, value);
            }

            foreach (ref float value in row)
            {
                value = MathF.Exp(value - max);
                sum += value;
            }

            foreach (ref float value in row)
            {
                value /= sum;
            }
        }
    }

    /// <inheritdoc />
    protected override void EnqueueSampleLogits(Matrix z, DeviceBuffer rows, DeviceBuffer adjustments, DeviceBuffer results)
    {
        for (int t = 0; t < z.Rows; t++)
        {
            HeadRow row = ((HeadRow*)Bytes(rows))[t];
            float[] logits = new ReadOnlySpan<float>(Row(z, t), z.Columns).ToArray();
            HeadResult* result = (HeadResult*)Bytes(results) + t;
            result->Token = Draw(logits, row, Entries(adjustments, row));
            result->LogProb = LogSoftmax(logits)[result->Token];
        }
    }

    private static ReadOnlySpan<TokenAdjustment> Entries(DeviceBuffer adjustments, HeadRow row) =>
        new((TokenAdjustment*)Bytes(adjustments) + row.AdjustmentStart, row.AdjustmentCount);

    private static float[][] Logits(HeadModel model, int vocabulary)
    {
        var logits = new float[model.Hidden.Rows][];
        for (int t = 0; t < logits.Length; t++)
        {
            logits[t] = new float[vocabulary];
        }

        var weights = new float[model.Output.Columns];
        for (int v = 0; v < vocabulary; v++)
        {
            for (int k = 0; k < weights.Length; k++)
            {
                weights[k] = Element(model.Output, v, k);
            }

            for (int t = 0; t < logits.Length; t++)
            {
                float* hidden = Row(model.Hidden, t);
                float sum = 0;
                for (int k = 0; k < weights.Length; k++)
                {
                    sum += hidden[k] * weights[k];
                }

                logits[t][v] = Cap(sum + (model.Bias is { } bias ? Element(bias, 0, v) : 0), model.SoftCap);
            }
        }

        return logits;
    }

    /// <summary>z = (1 − λ)·z_r + λ·z_a.</summary>
    protected virtual float[] Mix(float[]? reference, float[]? aligned, float lambda) =>
        reference is null ? aligned! : aligned is null ? reference : [.. reference.Zip(aligned, (r, a) => (1 - lambda) * r + lambda * a)];

    private static float[] LogSoftmax(float[] z)
    {
        float max = z.Max(), sum = 0;
        foreach (float value in z)
        {
            sum += MathF.Exp(value - max);
        }

        float logSum = MathF.Log(sum);
        return [.. z.Select(value => value - max - logSum)];
    }

    /// <summary>Σ p·(log p − log q) of two log-distributions.</summary>
    protected virtual float Divergence(float[] p, float[] q)
    {
        float sum = 0;
        for (int v = 0; v < p.Length; v++)
        {
            sum += MathF.Exp(p[v]) * (p[v] - q[v]);
        }

        return MathF.Max(sum, 0);
    }
}

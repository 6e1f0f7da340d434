namespace DeRa.Kernels.Verification;

/// <summary>What a head wrote, and its comparison with the oracle.</summary>
internal sealed record HeadOutcome(HeadResult[] Results, TopToken[] TopTokens)
{
    /// <summary>The fused head on a set.</summary>
    public static HeadOutcome Fused(Workbench bench, HeadData data)
    {
        (HeadModel? reference, HeadModel? aligned) = data.Upload(bench);
        DeviceBuffer rows = bench.Buffer<HeadRow>(data.Rows), adjustments = bench.Buffer<TokenAdjustment>(data.Adjustments);
        DeviceBuffer results = bench.Buffer<HeadResult>(new HeadResult[data.Rows.Length]);
        bool wanted = data.Rows.Any(row => row.TopTokens > 0);
        var top = new TopToken[data.Rows.Length * HeadLimits.MaxTopTokens];
        DeviceBuffer? topTokens = wanted ? bench.Buffer<TopToken>(top) : null;
        bench.Set.RealignHead(reference, aligned, data.Shape.Vocabulary, rows, adjustments, data.Shape.Statistics, results, topTokens);
        bench.Set.Run();
        return new HeadOutcome(bench.Read<HeadResult>(results, data.Rows.Length), wanted ? bench.Read<TopToken>(topTokens!, top.Length) : top);
    }

    /// <summary>Two projections, two soft caps, interpolation and sampling as separate operations over stored logits.</summary>
    public static HeadOutcome Unfused(Workbench bench, HeadData data)
    {
        (HeadModel? reference, HeadModel? aligned) = data.Upload(bench);
        int count = data.Rows.Length;
        DeviceBuffer rows = bench.Buffer<HeadRow>(data.Rows), adjustments = bench.Buffer<TokenAdjustment>(data.Adjustments);
        DeviceBuffer results = bench.Buffer<HeadResult>(new HeadResult[count]);
        Matrix z = bench.Strided(new float[count, data.Shape.Vocabulary]);
        bench.Set.Interpolate(Logits(reference!), Logits(aligned!), rows, z);
        bench.Set.SampleLogits(z, rows, adjustments, results);
        bench.Read(z);
        return new HeadOutcome(bench.Read<HeadResult>(results, count), []);

        Matrix Logits(HeadModel model)
        {
            Matrix logits = bench.Zeros(count, model.Output.Rows);
            bench.Set.Linear(model.Hidden, model.Output, model.Bias, logits);
            if (model.SoftCap is { } cap)
            {
                bench.Set.SoftCap(logits, cap);
            }

            return logits;
        }
    }

    /// <summary>Tokens within what rounding allows, log-probabilities and divergences of the token that was drawn, top tokens.</summary>
    /// <param name="trial">Takes the verdict.</param>
    /// <param name="data">Inputs and exact logits.</param>
    /// <param name="reference">The naive program's outcome.</param>
    /// <param name="fused">Whether the results of the fused head are there, beside Token and LogProb.</param>
    public void Check(Trial trial, HeadData data, HeadOutcome reference, bool fused)
    {
        for (int i = 0; i < data.Rows.Length; i++)
        {
            HeadResult got = Results[i], plain = reference.Results[i];
            double[] z = HeadData.Row(data.Mixture.Value, i), epsilon = HeadData.Row(data.Mixture.Epsilon, i);
            DrawOracle draw = DrawOracle.Compute(z, epsilon, data.Rows[i], data.AdjustmentsOf(data.Rows[i]));
            if (got.Token < 0 || got.Token >= z.Length || !draw.Admissible[got.Token])
            {
                trial.Fail($"token[{i}]: expected {draw.Token} (by {draw.Margin:G3}), got {got.Token}");
                continue;
            }

            // The naive program may have drawn another admissible token: its error is then no measure, and ε stands alone.
            bool same = plain.Token == got.Token;
            LogSumOracle mixture = LogSumOracle.Compute(z, epsilon);
            CheckValue("log p", mixture.LogProbability(z[got.Token], epsilon[got.Token]), r => r.LogProb);
            if (!fused)
            {
                continue;
            }

            if (data.Shape.Statistics)
            {
                Side("reference", data.ReferenceLogits, r => r.LogProbReference, r => r.KlReference);
                Side("aligned", data.AlignedLogits, r => r.LogProbAligned, r => r.KlAligned);
            }

            CheckTopTokens(trial, data.Rows[i], i, z, epsilon, mixture);

            void Side(string name, Expected? logits, Func<HeadResult, float> logProb, Func<HeadResult, float> divergence)
            {
                if (logits is null)
                {
                    trial.Require(float.IsNaN(logProb(got)) && float.IsNaN(divergence(got)), $"{name}[{i}]: NaN expected of a model that was not run");
                    return;
                }

                double[] other = HeadData.Row(logits.Value, i), otherEpsilon = HeadData.Row(logits.Epsilon, i);
                LogSumOracle sum = LogSumOracle.Compute(other, otherEpsilon);
                CheckValue($"log p {name}", sum.LogProbability(other[got.Token], otherEpsilon[got.Token]), logProb);
                (double value, double error) = DivergenceOracle.Compute(z, epsilon, other, otherEpsilon);
                trial.Check($"KL {name}", i, 0, value, divergence(plain), divergence(got), error);
            }

            void CheckValue(string name, (double Value, double Epsilon) expected, Func<HeadResult, float> field) =>
                trial.Check(name, i, 0, expected.Value, same ? field(plain) : expected.Value, field(got), expected.Epsilon);
        }
    }

    private void CheckTopTokens(Trial trial, HeadRow row, int i, double[] z, double[] epsilon, LogSumOracle mixture)
    {
        HeadResult result = Results[i];
        int count = Math.Min(row.TopTokens, z.Length);
        trial.Require(row.TopTokens == 0 || result.TopCount == count, $"top count[{i}]: expected {count}, got {result.TopCount}");
        double[] sorted = [.. z.OrderDescending()];
        var seen = new HashSet<int>();
        for (int n = 0; n < Math.Min(count, result.TopCount); n++)
        {
            TopToken top = TopTokens[i * HeadLimits.MaxTopTokens + n];
            if (top.TokenId < 0 || top.TokenId >= z.Length || !seen.Add(top.TokenId))
            {
                trial.Fail($"top token[{i}, {n}]: {top.TokenId} is no token, or listed twice");
                return;
            }

            // Two tokens may change places only where their logits are closer than both may be off.
            trial.Require(
                Math.Abs(z[top.TokenId] - sorted[n]) <= 2 * epsilon.Max(),
                $"top token[{i}, {n}]: expected a logit of {sorted[n]:G9}, got token {top.TokenId} with {z[top.TokenId]:G9}");
            (double logProb, double error) = mixture.LogProbability(z[top.TokenId], epsilon[top.TokenId]);
            trial.Check("top log p", i, n, logProb, logProb, top.LogProb, error);
        }
    }
}

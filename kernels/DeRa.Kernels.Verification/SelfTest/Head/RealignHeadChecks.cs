namespace DeRa.Kernels.Verification;

/// <summary>Checks of <see cref="KernelSet.RealignHead"/>, and of its unfused equivalent on the same data.</summary>
internal static class RealignHeadChecks
{
    public static IEnumerable<SelfTestCase> Cases()
    {
        foreach (HeadShape shape in Shapes())
        {
            yield return new SelfTestCase("RealignHead", shape.ToString(), trial =>
            {
                (HeadRow[] rows, TokenAdjustment[] adjustments) = HeadRows.Mixed(trial.Data, shape);
                Check(trial, HeadData.Random(trial.Data, shape, rows, adjustments), HeadOutcome.Fused, fused: true);
            });
        }

        foreach (HeadShape shape in new HeadShape[]
        {
            new(DType.F32, 17, 123, 16, 16), new(DType.BF16, 11, 1000, 64, 48) { Bias = true, Padding = 24 },
            new(DType.F16, 11, 507, 17, 17) { SoftCap = 4 },
        })
        {
            yield return new SelfTestCase("RealignHead", $"unfused: {shape}", trial =>
            {
                (HeadRow[] rows, TokenAdjustment[] adjustments) = HeadRows.Mixed(trial.Data, shape);
                Check(trial, HeadData.Random(trial.Data, shape, rows, adjustments), HeadOutcome.Unfused, fused: false);
            });
        }

        foreach (float lambda in new[] { 0, 0.3f, 1, 2.5f })
        {
            yield return EqualLogits(lambda);
            yield return OneHugeLogit(lambda);
            yield return AllForbiddenButOne(lambda);
            yield return WideNucleus(lambda);
        }

        yield return TiesAtTheCut();
        yield return new SelfTestCase("RealignHead", "penalties on every token", trial =>
        {
            HeadShape shape = new(DType.F32, 108, 12, 16, 16) { Deviation = 1 };
            (HeadRow[] rows, TokenAdjustment[] adjustments) = HeadRows.Penalised(trial.Data, shape);
            Check(trial, HeadData.Random(trial.Data, shape, rows, adjustments), HeadOutcome.Fused, fused: true);
        });
    }

    private static IEnumerable<HeadShape> Shapes()
    {
        foreach (DType dtype in Enum.GetValues<DType>())
        {
            yield return new(dtype, 3, 1, 1, 1);
            yield return new(dtype, 11, 2, 15, 17);
            yield return new(dtype, 11, 7, 16, 16) { Padding = 5 };
            yield return new(dtype, 23, 1000, 64, 123);
            yield return new(dtype, 22, 1003, 64, 64) { Shared = true };
            yield return new(dtype, 22, 1003, 64, 64) { Shared = true, Statistics = false };
            yield return new(dtype, 12, 507, 48, 48) { Statistics = false };
            yield return new(dtype, 12, 507, 0, 48);
            yield return new(dtype, 12, 507, 48, 0) { SoftCap = 6 };
            yield return new(dtype, 12, 507, 48, 64) { Bias = true, SoftCap = 6, Padding = 3 };
            yield return new(dtype, 12, 507, 64, 64) { Shared = true, SoftCap = 6 };
        }

        yield return new(DType.BF16, 1, 5000, 507, 768);
        yield return new(DType.F32, 2, 4999, 123, 123);
        yield return new(DType.F16, 5, 3001, 128, 128) { Deviation = 20 };
        yield return new(DType.F32, 64, 300, 33, 33);
    }

    /// <summary>A hidden state of zeros: the lowest ids win, top tokens come in order, and a draw follows the noise alone.</summary>
    private static SelfTestCase EqualLogits(float lambda) => new("RealignHead", $"equal logits, lambda {lambda}", trial =>
    {
        HeadShape shape = new(DType.F32, 11, 1001, 16, 16);
        (HeadRow[] rows, _) = HeadRows.Mixed(trial.Data, shape, lambda);
        rows = [.. rows.Select(row => row with { AdjustmentCount = 0, AdjustmentStart = 0, TopTokens = HeadLimits.MaxTopTokens })];
        HeadSide Flat() => HeadSide.Random(trial.Data, shape, 16) with { Hidden = new float[shape.Rows, 16] };
        var data = new HeadData(shape, Flat(), Flat(), rows, []);
        HeadOutcome got = Check(trial, data, HeadOutcome.Fused, fused: true);
        for (int i = 0; i < rows.Length; i++)
        {
            int[] top = [.. got.TopTokens.Skip(i * HeadLimits.MaxTopTokens).Take(HeadLimits.MaxTopTokens).Select(t => t.TokenId)];
            trial.Require(top.SequenceEqual(Enumerable.Range(0, HeadLimits.MaxTopTokens)), $"top tokens[{i}]: the lowest ids expected among equals");
            trial.Require(rows[i].Temperature > 0 || got.Results[i].Token == 0, $"token[{i}]: 0 expected among equals, got {got.Results[i].Token}");
        }
    });

    private static SelfTestCase OneHugeLogit(float lambda) => new("RealignHead", $"one huge logit, lambda {lambda}", trial =>
    {
        HeadShape shape = new(DType.F32, 11, 507, 8, 8);
        (HeadRow[] rows, _) = HeadRows.Mixed(trial.Data, shape, lambda);
        rows = [.. rows.Select(row => row with { AdjustmentCount = 0, AdjustmentStart = 0 })];
        HeadSide Peaked()
        {
            float[,] hidden = trial.Data.Matrix(shape.Rows, 8), output = trial.Data.Matrix(shape.Vocabulary, 8);
            for (int i = 0; i < 8; i++)
            {
                output[321, i] = i == 0 ? 2000 : 0;
            }

            for (int row = 0; row < shape.Rows; row++)
            {
                hidden[row, 0] = 5;
            }

            return new HeadSide(hidden, new HostWeight(DType.F32, output), null, null);
        }

        HeadOutcome got = Check(trial, new HeadData(shape, Peaked(), Peaked(), rows, []), HeadOutcome.Fused, fused: true);
        trial.Require(got.Results.All(r => r.Token == 321), "the huge logit's token expected in every row");
    });

    private static SelfTestCase AllForbiddenButOne(float lambda) => new("RealignHead", $"all forbidden but one, lambda {lambda}", trial =>
    {
        HeadShape shape = new(DType.BF16, 11, 507, 16, 24);
        TokenAdjustment[] adjustments =
        [
            .. Enumerable.Range(0, 507).Where(v => v != 400).Select(v => new TokenAdjustment { TokenId = v, Bias = float.NegativeInfinity }),
        ];
        (HeadRow[] rows, _) = HeadRows.Mixed(trial.Data, shape, lambda);
        rows = [.. rows.Select(row => row with { AdjustmentStart = 0, AdjustmentCount = adjustments.Length })];
        HeadOutcome got = Check(trial, HeadData.Random(trial.Data, shape, rows, adjustments), HeadOutcome.Fused, fused: true);
        trial.Require(got.Results.All(r => r.Token == 400), "the only allowed token expected in every row");
    });

    /// <summary>Nearly flat logits keep thousands of tokens, more than one sweep's candidates.</summary>
    private static SelfTestCase WideNucleus(float lambda) => new("RealignHead", $"nucleus of thousands, lambda {lambda}", trial =>
    {
        HeadShape shape = new(DType.F32, 12, 5000, 16, 16) { Deviation = 0.2 };
        HeadRow row = HeadRow.Greedy(lambda) with { Temperature = 1, SeedLow = 3, Position = 9 };
        HeadRow[] rows =
        [
            .. HeadRows.Streams(row with { TopP = 0.99f }, 4), .. HeadRows.Streams(row with { TopK = 3000 }, 4),
            .. HeadRows.Streams(row with { TopK = 4000, TopP = 0.7f, MinP = 0.3f }, 4),
        ];
        Check(trial, HeadData.Random(trial.Data, shape, rows, []), HeadOutcome.Fused, fused: true);
    });

    /// <summary>
    /// Logits are exact (one feature, value 1): eight tokens each of 3, 2, 1 and 0, scattered. k = 10 keeps the 16 that reach the 10th largest;
    /// p ends inside the second eight and keeps all of them.
    /// </summary>
    private static SelfTestCase TiesAtTheCut() => new("RealignHead", "ties at the cut are all kept", trial =>
    {
        HeadShape shape = new(DType.F32, 200, 32, 1, 1);
        float[,] ones = new float[shape.Rows, 1], output = new float[32, 1];
        for (int row = 0; row < shape.Rows; row++)
        {
            ones[row, 0] = 1;
        }

        for (int v = 0; v < 32; v++)
        {
            output[v, 0] = v * 5 % 32 / 8;
        }

        HeadRow cut = HeadRow.Greedy(0.5f) with { Temperature = 4, SeedLow = 8 };
        HeadRow[] rows = [.. HeadRows.Streams(cut with { TopK = 10 }, 100), .. HeadRows.Streams(cut with { TopP = 0.4f }, 100)];
        var side = new HeadSide(ones, new HostWeight(DType.F32, output), null, null);
        HeadOutcome got = Check(trial, new HeadData(shape, side, side, rows, []), HeadOutcome.Fused, fused: true);
        for (int half = 0; half < 2; half++)
        {
            int[] drawn = [.. got.Results.Skip(100 * half).Take(100).Select(r => r.Token).Distinct().Order()];
            int[] kept = [.. Enumerable.Range(0, 32).Where(v => output[v, 0] >= 2)];
            trial.Require(drawn.All(kept.Contains), $"drawn outside the kept set: {string.Join(", ", drawn.Except(kept))}");
            trial.Require(drawn.Length >= 14, $"100 draws reached only {drawn.Length} of 16 kept tokens");
        }
    });

    private static HeadOutcome Check(Trial trial, HeadData data, Func<Workbench, HeadData, HeadOutcome> program, bool fused)
    {
        data = data.For(trial);
        (HeadOutcome got, HeadOutcome reference) = trial.Both(bench => program(bench, data));
        got.Check(trial, data, reference, fused);
        return got;
    }
}

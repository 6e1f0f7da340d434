namespace DeRa.Kernels.Verification;

/// <summary>Checks of <see cref="KernelSet.VerifyDrafts"/>: token by token against float64, over drafts drawn as a proposer draws them.</summary>
internal static class VerifyDraftsChecks
{
    public static IEnumerable<SelfTestCase> Cases()
    {
        foreach ((int rows, int vocab, double apart) in new[]
        {
            (1, 1, 1.0), (3, 2, 1), (44, 7, 1), (88, 31, 0.3), (44, 507, 1), (33, 1003, 0.02), (22, 2051, 3),
        })
        {
            yield return Drawn(new HeadShape(DType.F32, rows, vocab, 1, 0) { Deviation = 2 }, apart);
        }

        yield return SameLogits();
        yield return DisjointCuts();
    }

    /// <summary>Draft logits that differ by normal noise, and drafts drawn from them by the naive program.</summary>
    private static SelfTestCase Drawn(HeadShape shape, double apart) => Case($"[{shape.Rows}, {shape.Vocabulary}], logits {apart} apart", trial =>
    {
        float[,] z = trial.Data.Matrix(shape.Rows, shape.Vocabulary, shape.Deviation), draftZ = trial.Data.Matrix(shape.Rows, shape.Vocabulary, apart);
        for (int i = 0; i < z.Length; i++)
        {
            draftZ[i / shape.Vocabulary, i % shape.Vocabulary] += z[i / shape.Vocabulary, i % shape.Vocabulary];
        }

        (HeadRow[] rows, TokenAdjustment[] adjustments) = HeadRows.Mixed(trial.Data, shape);
        return (z, draftZ, rows, adjustments);
    });

    /// <summary>p = q: every draft stands.</summary>
    private static SelfTestCase SameLogits() => Case("[44, 123], the same logits", trial =>
    {
        var shape = new HeadShape(DType.F32, 44, 123, 1, 0);
        float[,] z = trial.Data.Matrix(44, 123, 2);
        (HeadRow[] rows, TokenAdjustment[] adjustments) = HeadRows.Mixed(trial.Data, shape);
        return (z, (float[,])z.Clone(), rows, adjustments);
    });

    /// <summary>The cuts leave the proposer other tokens than the mixture: no draft stands.</summary>
    private static SelfTestCase DisjointCuts() => Case("[24, 64], kept sets without a common token", trial =>
    {
        float[,] z = trial.Data.Matrix(24, 64), draftZ = trial.Data.Matrix(24, 64);
        for (int i = 0; i < z.Length; i++)
        {
            (i % 2 == 0 ? z : draftZ)[i / 64, i % 64] += 40;
        }

        HeadRow row = HeadRow.Greedy(0) with { Temperature = 0.8f, SeedLow = 5 };
        HeadRow[] options = [row with { TopK = 3 }, row with { TopP = 0.7f }, row with { MinP = 0.1f }];
        return (z, draftZ, [.. Enumerable.Range(0, 24).Select(i => options[i % 3] with { Stream = (uint)i })], []);
    });

    private static SelfTestCase Case(
        string name, Func<Trial, (float[,] Z, float[,] DraftZ, HeadRow[] Rows, TokenAdjustment[] Adjustments)> make) =>
        new("VerifyDrafts", name, trial =>
    {
        (float[,] z, float[,] draftZ, HeadRow[] rows, TokenAdjustment[] adjustments) = make(trial);
        int[] drafts = Draft(draftZ, rows, adjustments);
        (HeadResult[] got, HeadResult[] reference) = trial.Both(bench =>
        {
            DeviceBuffer results = bench.Buffer<HeadResult>(new HeadResult[rows.Length]);
            Matrix logits = bench.Strided(z), draftLogits = bench.Strided(draftZ);
            bench.Set.VerifyDrafts(
                logits, draftLogits, bench.Ints(drafts), bench.Buffer<HeadRow>(rows), bench.Buffer<TokenAdjustment>(adjustments), results);
            trial.Require(bench.Read(logits).Cast<float>().SequenceEqual(z.Cast<float>()), "the mixture's logits are kept");
            trial.Require(bench.Read(draftLogits).Cast<float>().SequenceEqual(draftZ.Cast<float>()), "the drafts' logits are kept");
            return bench.Read<HeadResult>(results, rows.Length);
        });
        int ambiguous = 0;
        for (int i = 0; i < rows.Length; i++)
        {
            double[] exact = HeadData.Row(Doubles.From(z), i), draftExact = HeadData.Row(Doubles.From(draftZ), i);
            VerifyOracle oracle = VerifyOracle.Compute(
                exact, draftExact, drafts[i], rows[i], new ArraySegment<TokenAdjustment>(adjustments, rows[i].AdjustmentStart, rows[i].AdjustmentCount));
            int token = got[i].Token;
            ambiguous += oracle.IsAmbiguous ? 1 : 0;
            if (token < 0 || token >= exact.Length || !oracle.Admissible[token])
            {
                trial.Fail($"token[{i}]: expected {oracle.Token} for draft {drafts[i]}, got {token}");
                continue;
            }

            (double value, double error) = LogSumOracle.Compute(exact, new double[exact.Length]).LogProbability(exact[token], 0);
            trial.Check("log p", i, 0, value, token == reference[i].Token ? reference[i].LogProb : value, got[i].LogProb, error);
        }

        trial.Require(2 * ambiguous <= rows.Length, $"{ambiguous} of {rows.Length} rows have a cut within rounding of a score");
    });

    /// <summary>Drafts by the definition of sampling, in the naive program, whatever the set under test.</summary>
    private static int[] Draft(float[,] draftZ, HeadRow[] rows, TokenAdjustment[] adjustments)
    {
        using var naive = new NaiveKernelSet();
        using var bench = new Workbench(naive);
        DeviceBuffer results = bench.Buffer<HeadResult>(new HeadResult[rows.Length]);
        naive.SampleLogits(bench.Matrix(draftZ), bench.Buffer<HeadRow>(rows), bench.Buffer<TokenAdjustment>(adjustments), results);
        return [.. bench.Read<HeadResult>(results, rows.Length).Select(result => result.Token)];
    }
}

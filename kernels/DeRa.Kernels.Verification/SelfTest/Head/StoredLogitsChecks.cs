namespace DeRa.Kernels.Verification;

/// <summary>Checks of the unfused baseline over stored logits: Interpolate, Softmax, SampleLogits.</summary>
internal static class StoredLogitsChecks
{
    public static IEnumerable<SelfTestCase> Cases()
    {
        foreach ((int rows, int vocab) in new[] { (1, 1), (3, 2), (17, 7), (5, 507), (22, 1003) })
        {
            yield return Interpolate(rows, vocab);
            yield return Softmax(rows, vocab, 3);
            yield return SampleLogits(new HeadShape(DType.F32, rows, vocab, 1, 0), "", HeadRows.Mixed);
        }

        yield return SampleLogits(
            new HeadShape(DType.F32, 108, 12, 1, 0) { Deviation = 1 }, ", penalties on every token", (data, shape, _) => HeadRows.Penalised(data, shape));

        yield return Softmax(3, 123, 0);
        yield return Softmax(3, 123, 200);
        yield return Softmax(2, 5000, 1);
    }

    private static SelfTestCase Interpolate(int rows, int vocab) => new("Interpolate", $"[{rows}, {vocab}]", trial =>
    {
        float[,] reference = trial.Data.Matrix(rows, vocab + 3), aligned = trial.Data.Matrix(rows, vocab);
        HeadRow[] options = [.. Enumerable.Range(0, rows).Select(i => HeadRow.Greedy(new[] { 0, 0.3f, 1, 2.5f }[i % 4]))];
        Expected Exact(float[,] logits) => Expected.Of(rows, vocab, (t, v) => (logits[t, v], 0));
        Expected expected = InterpolateOracle.Compute(Exact(reference), Exact(aligned), [.. options.Select(o => (double)o.Lambda)]);
        trial.Compare("z", expected, bench =>
        {
            Matrix z = bench.Strided(new float[rows, vocab]);
            bench.Set.Interpolate(bench.Strided(reference), bench.Matrix(aligned), bench.Buffer<HeadRow>(options), z);
            return bench.Read(z);
        });
    });

    private static SelfTestCase Softmax(int rows, int vocab, double deviation) => new("Softmax", $"[{rows}, {vocab}], x ~ {deviation}", trial =>
    {
        float[,] x = trial.Data.Matrix(rows, vocab, deviation);
        trial.Compare("p", SoftmaxOracle.Compute(Doubles.From(x)), bench =>
        {
            Matrix values = bench.Strided(x);
            bench.Set.Softmax(values);
            return bench.Read(values);
        });
    });

    private static SelfTestCase SampleLogits(
        HeadShape shape, string kind, Func<TestData, HeadShape, float?, (HeadRow[] Rows, TokenAdjustment[] Adjustments)> make) =>
        new("SampleLogits", $"[{shape.Rows}, {shape.Vocabulary}]{kind}", trial =>
    {
        (int rows, int vocab) = (shape.Rows, shape.Vocabulary);
        float[,] z = trial.Data.Matrix(rows, vocab, shape.Deviation);
        (HeadRow[] options, TokenAdjustment[] adjustments) = make(trial.Data, shape, null);
        (HeadResult[] got, HeadResult[] reference) = trial.Both(bench =>
        {
            DeviceBuffer results = bench.Buffer<HeadResult>(new HeadResult[rows]);
            Matrix logits = bench.Strided(z);
            bench.Set.SampleLogits(logits, bench.Buffer<HeadRow>(options), bench.Buffer<TokenAdjustment>(adjustments), results);
            float[,] after = bench.Read(logits);
            trial.Require(after.Cast<float>().SequenceEqual(z.Cast<float>()), "the logits are kept");
            return bench.Read<HeadResult>(results, rows);
        });
        for (int i = 0; i < rows; i++)
        {
            double[] row = HeadData.Row(Doubles.From(z), i), exact = new double[vocab];
            DrawOracle draw = DrawOracle.Compute(
                row, exact, options[i], new ArraySegment<TokenAdjustment>(adjustments, options[i].AdjustmentStart, options[i].AdjustmentCount));
            if (got[i].Token < 0 || got[i].Token >= vocab || !draw.Admissible[got[i].Token])
            {
                trial.Fail($"token[{i}]: expected {draw.Token} (by {draw.Margin:G3}), got {got[i].Token}");
                continue;
            }

            (double value, double error) = LogSumOracle.Compute(row, exact).LogProbability(row[got[i].Token], 0);
            trial.Check("log p", i, 0, value, got[i].Token == reference[i].Token ? reference[i].LogProb : value, got[i].LogProb, error);
        }
    });
}

namespace DeRa.Kernels.Verification;

/// <summary>Checks of <see cref="KernelSet.RealignScore"/>.</summary>
internal static class RealignScoreChecks
{
    public static IEnumerable<SelfTestCase> Cases()
    {
        float[] four = [0, 0.3f, 1, 2.5f];
        foreach (DType dtype in Enum.GetValues<DType>())
        {
            yield return Case(new(dtype, 3, 1, 1, 1), four);
            yield return Case(new(dtype, 1, 7, 15, 17) { Padding = 2 }, [0.5f]);
            yield return Case(new(dtype, 17, 507, 64, 123), four);
            yield return Case(new(dtype, 5, 1000, 48, 48) { Shared = true }, four);
            yield return Case(new(dtype, 5, 1001, 48, 64) { Bias = true, SoftCap = 6 }, [.. Enumerable.Range(0, 33).Select(i => i / 16f)]);
        }

        yield return Case(new(DType.BF16, 64, 300, 33, 33), four);
        yield return Case(new(DType.F32, 123, 123, 16, 16), [-1, 0, 1, 4]);
        yield return Case(new(DType.F32, 3, 2000, 16, 16) { Deviation = 50 }, four);
    }

    private static SelfTestCase Case(HeadShape shape, float[] lambdas) => new("RealignScore", $"{shape}, {lambdas.Length} lambdas", trial =>
    {
        HeadData data = HeadData.Random(trial.Data, shape, new HeadRow[shape.Rows], []).For(trial);
        int[] targets = trial.Data.Indices(shape.Rows, shape.Vocabulary);
        Expected reference = data.ReferenceLogits!, aligned = data.AlignedLogits!;
        Expected statistics = Expected.Zeros(shape.Rows, 3 * lambdas.Length);
        for (int t = 0; t < shape.Rows; t++)
        {
            for (int l = 0; l < lambdas.Length; l++)
            {
                Expected one = ScoreOracle.Compute(
                    HeadData.Row(reference.Value, t), HeadData.Row(reference.Epsilon, t), HeadData.Row(aligned.Value, t),
                    HeadData.Row(aligned.Epsilon, t), lambdas[l]);
                Array.Copy(one.Value, 0, statistics.Value, 3 * (t * lambdas.Length + l), 3);
                Array.Copy(one.Epsilon, 0, statistics.Epsilon, 3 * (t * lambdas.Length + l), 3);
            }
        }

        trial.Compare("max, log Z, mean difference per lambda", statistics, bench => Run(bench).Statistics);
        trial.Compare(
            "target logits",
            Expected.Of(shape.Rows, 2, (t, side) => side == 0
                ? (reference.Value[t, targets[t]], reference.Epsilon[t, targets[t]])
                : (aligned.Value[t, targets[t]], aligned.Epsilon[t, targets[t]])),
            bench => Run(bench).Targets);

        (float[,] Statistics, float[,] Targets) Run(Workbench bench)
        {
            (HeadModel? r, HeadModel? a) = data.Upload(bench);
            DeviceBuffer found = bench.Buffer<ScoreStatistic>(new ScoreStatistic[shape.Rows * lambdas.Length]);
            DeviceBuffer logits = bench.Buffer<TargetLogits>(new TargetLogits[shape.Rows]);
            bench.Set.RealignScore(
                r!, a!, shape.Vocabulary, bench.Ints(targets), bench.Buffer<float>(lambdas), lambdas.Length, found, logits);
            bench.Set.Run();
            var rows = new float[shape.Rows, 3 * lambdas.Length];
            var pairs = new float[shape.Rows, 2];
            ScoreStatistic[] statistic = bench.Read<ScoreStatistic>(found, shape.Rows * lambdas.Length);
            TargetLogits[] target = bench.Read<TargetLogits>(logits, shape.Rows);
            for (int i = 0; i < statistic.Length; i++)
            {
                int t = i / lambdas.Length, l = i % lambdas.Length;
                rows[t, 3 * l] = statistic[i].Max;
                rows[t, 3 * l + 1] = (float)RealignmentFormulas.LogSum(statistic[i]);
                rows[t, 3 * l + 2] = (float)RealignmentFormulas.MeanDifference(statistic[i]);
            }

            for (int t = 0; t < target.Length; t++)
            {
                (pairs[t, 0], pairs[t, 1]) = (target[t].Reference, target[t].Aligned);
            }

            return (rows, pairs);
        }
    });
}

namespace DeRa.Kernels.Verification;

/// <summary>Checks of <see cref="KernelSet.Gather"/>: y[i] = x[rows[i]], exactly.</summary>
internal static class GatherChecks
{
    public static IEnumerable<SelfTestCase> Cases()
    {
        foreach ((int from, int count, int width) in new[] { (1, 1, 1), (7, 3, 17), (123, 64, 507) })
        {
            yield return new SelfTestCase("Gather", $"{count} of [{from}, {width}]", trial =>
            {
                float[,] x = trial.Data.Matrix(from, width);
                int[] rows = trial.Data.Indices(count, from);
                trial.Compare("y", Expected.Of(count, width, (t, i) => (x[rows[t], i], 0)), bench =>
                {
                    Matrix y = bench.Strided(new float[count, width]);
                    bench.Set.Gather(bench.Strided(x), bench.Ints(rows), y);
                    return bench.Read(y);
                });
            });
        }
    }
}

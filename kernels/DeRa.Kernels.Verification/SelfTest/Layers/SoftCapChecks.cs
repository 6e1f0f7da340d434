namespace DeRa.Kernels.Verification;

/// <summary>Checks of <see cref="KernelSet.SoftCap"/>.</summary>
internal static class SoftCapChecks
{
    public static IEnumerable<SelfTestCase> Cases()
    {
        foreach ((int rows, int width, double deviation) in new[] { (1, 1, 1.0), (3, 123, 20), (17, 507, 1000) })
        {
            yield return new SelfTestCase("SoftCap", $"[{rows}, {width}], x ~ {deviation}", trial =>
            {
                float[,] x = trial.Data.Matrix(rows, width, deviation);
                trial.Compare("x", SoftCapOracle.Compute(Doubles.From(x), 30), bench =>
                {
                    Matrix values = bench.Strided(x);
                    bench.Set.SoftCap(values, 30);
                    return bench.Read(values);
                });
            });
        }
    }
}

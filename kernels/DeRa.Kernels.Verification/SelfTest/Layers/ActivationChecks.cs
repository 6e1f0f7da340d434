namespace DeRa.Kernels.Verification;

/// <summary>Checks of <see cref="KernelSet.Activation"/> and <see cref="KernelSet.GatedActivation"/>.</summary>
internal static class ActivationChecks
{
    public static IEnumerable<SelfTestCase> Cases()
    {
        foreach (ActivationKind kind in Enum.GetValues<ActivationKind>())
        {
            foreach ((int rows, int width) in new[] { (1, 1), (3, 17), (17, 507) })
            {
                yield return new SelfTestCase("Activation", $"{kind} [{rows}, {width}]", trial =>
                {
                    float[,] x = WithExtremes(trial.Data.Matrix(rows, width, deviation: 2));
                    trial.Compare("x", ActivationOracle.Compute(Doubles.From(x), kind), bench =>
                    {
                        Matrix values = bench.Strided(x);
                        bench.Set.Activation(values, kind);
                        return bench.Read(values);
                    });
                });
                yield return new SelfTestCase("GatedActivation", $"{kind} [{rows}, {width}]", trial =>
                {
                    float[,] x = WithExtremes(trial.Data.Matrix(rows, 2 * width, deviation: 2));
                    trial.Compare("y", ActivationOracle.ComputeGated(Doubles.From(x), kind), bench =>
                    {
                        Matrix y = bench.Strided(new float[rows, width]);
                        bench.Set.GatedActivation(bench.Strided(x), kind, y);
                        return bench.Read(y);
                    });
                });
            }
        }
    }

    /// <summary>Where e^x overflows, underflows and vanishes.</summary>
    private static float[,] WithExtremes(float[,] x)
    {
        float[] extremes = [0, -0f, 1e-6f, -1e-6f, 12, -12, 30, -30, 95, -95, 200, -200];
        for (int i = 0; i < Math.Min(extremes.Length, x.GetLength(1) - 1); i++)
        {
            x[0, i] = extremes[i];
        }

        return x;
    }
}

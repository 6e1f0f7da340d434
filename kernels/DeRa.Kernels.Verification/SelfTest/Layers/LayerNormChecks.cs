namespace DeRa.Kernels.Verification;

/// <summary>Checks of <see cref="KernelSet.LayerNorm"/>.</summary>
internal static class LayerNormChecks
{
    public static IEnumerable<SelfTestCase> Cases()
    {
        int number = 0;
        foreach (int width in new[] { 1, 15, 16, 17, 123, 507, 768 })
        {
            foreach (DType dtype in Enum.GetValues<DType>())
            {
                int rows = new[] { 3, 1, 123, 17 }[number % 4];
                yield return Case(dtype, rows, width, deviation: 1, mean: 0, bias: number % 2 == 0, inPlace: number % 3 == 0);
                number++;
            }
        }

        yield return Case(DType.F32, 3, 123, deviation: 1e-4, mean: 0, bias: true, inPlace: false); // ε outweighs the variance
        yield return Case(DType.F32, 3, 123, deviation: 1, mean: 100, bias: true, inPlace: false); // E[x²] − mean² would cancel
        yield return Case(DType.F32, 3, 123, deviation: 0, mean: 2, bias: false, inPlace: false);
    }

    private static SelfTestCase Case(DType dtype, int rows, int width, double deviation, double mean, bool bias, bool inPlace)
    {
        string name = $"{dtype} [{rows}, {width}], x ~ {mean} ± {deviation}{(bias ? ", bias" : "")}{(inPlace ? ", in place" : "")}";
        return new SelfTestCase("LayerNorm", name, trial =>
        {
            const float Epsilon = 1e-5f;
            float[,] x = trial.Data.Matrix(rows, width, deviation, mean);
            HostWeight gain = trial.Data.Weight(dtype, 1, width);
            HostWeight? shift = bias ? trial.Data.Weight(dtype, 1, width) : null;
            Expected expected = LayerNormOracle.Compute(Doubles.From(x), gain.Vector, shift?.Vector, Epsilon);
            trial.Compare("y", expected, bench =>
            {
                Matrix from = bench.Strided(x), y = inPlace ? from : bench.Strided(new float[rows, width]);
                bench.Set.LayerNorm(from, bench.Weight(gain, 0), bench.Weight(shift), Epsilon, y);
                return bench.Read(y);
            });
        });
    }
}

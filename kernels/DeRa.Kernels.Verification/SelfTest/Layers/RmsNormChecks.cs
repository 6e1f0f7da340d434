namespace DeRa.Kernels.Verification;

/// <summary>Checks of <see cref="KernelSet.RmsNorm"/>.</summary>
internal static class RmsNormChecks
{
    public static IEnumerable<SelfTestCase> Cases()
    {
        int number = 0;
        foreach (int width in new[] { 1, 15, 16, 17, 123, 507, 768 })
        {
            foreach (DType dtype in Enum.GetValues<DType>())
            {
                int rows = new[] { 1, 3, 17, 123 }[number % 4];
                yield return Case(dtype, rows, width, deviation: 1, epsilon: 1e-6f, number % 2 == 1, number / 2 % 2 == 1, inPlace: number % 3 == 0);
                number++;
            }
        }

        yield return Case(DType.F32, 3, 123, deviation: 1e-4, epsilon: 1e-5f, false, false, false); // ε outweighs mean(x²)
        yield return Case(DType.F32, 3, 123, deviation: 0, epsilon: 1e-5f, false, false, false);
        yield return Case(DType.BF16, 3, 507, deviation: 1e6, epsilon: 1e-6f, true, true, false);
    }

    private static SelfTestCase Case(
        DType dtype, int rows, int width, double deviation, float epsilon, bool unitOffset, bool accumulate, bool inPlace)
    {
        bool overwrite = inPlace && !accumulate;
        string name = $"{dtype} [{rows}, {width}], x ~ {deviation}, eps {epsilon}{(unitOffset ? ", unit offset" : "")}{(accumulate ? ", accumulate" : "")}"
            + (overwrite ? ", in place" : "");
        return new SelfTestCase("RmsNorm", name, trial =>
        {
            float[,] x = trial.Data.Matrix(rows, width, deviation), before = trial.Data.Matrix(rows, width);
            HostWeight gain = trial.Data.Weight(dtype, 1, width);
            Expected expected = RmsNormOracle.Compute(
                Doubles.From(x), gain.Vector, epsilon, unitOffset, accumulate ? Doubles.From(before) : null);
            trial.Compare("y", expected, bench =>
            {
                Matrix from = bench.Strided(x), y = overwrite ? from : bench.Matrix(before);
                bench.Set.RmsNorm(from, bench.Weight(gain, 0), epsilon, unitOffset, y, accumulate);
                return bench.Read(y);
            });
        });
    }
}

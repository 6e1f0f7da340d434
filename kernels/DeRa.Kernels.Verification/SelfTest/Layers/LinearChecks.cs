namespace DeRa.Kernels.Verification;

/// <summary>Checks of <see cref="KernelSet.Linear"/>.</summary>
internal static class LinearChecks
{
    public static IEnumerable<SelfTestCase> Cases()
    {
        int number = 0;
        foreach (bool inputMajor in new[] { false, true })
        {
            foreach (DType dtype in Enum.GetValues<DType>())
            {
                foreach (int depth in new[] { 1, 15, 16, 17, 123, 507, 768 })
                {
                    int rows = new[] { 1, 2, 3, 4, 5, 8, 17, 64 }[number % 8], outputs = new[] { 1, 3, 123, 48, 507 }[number % 5];
                    yield return Case(dtype, rows, outputs, depth, inputMajor, number % 3 == 0, number % 4 == 1);
                    number++;
                }

                yield return Case(dtype, 123, 507, 123, inputMajor, bias: true, accumulate: true);
                yield return Case(dtype, 1, 507, 768, inputMajor, bias: true, accumulate: true);
            }
        }

        foreach (DType dtype in Enum.GetValues<DType>())
        {
            yield return Unaligned(dtype);
            yield return Sliced(dtype);
        }
    }

    private static SelfTestCase Case(DType dtype, int rows, int outputs, int depth, bool inputMajor, bool bias, bool accumulate)
    {
        string name = $"{dtype} [{rows}, {depth}] to {outputs}{(inputMajor ? ", input-major" : "")}{(bias ? ", bias" : "")}"
            + (accumulate ? ", accumulate" : "");
        return new SelfTestCase("Linear", name, trial =>
            Check(trial, trial.Data.Weight(dtype, outputs, depth, inputMajor), rows, bias, accumulate, bench => bench.Weight));
    }

    /// <summary>A mapped file promises byte alignment only, which the Cpu set takes as it is.</summary>
    private static SelfTestCase Unaligned(DType dtype) => new("Linear", $"{dtype} [3, 123] to 48, byte offset 1 (Cpu set)", trial =>
    {
        int offset = trial.Set.Device.Kind == DeviceKind.Cpu ? 1 : 256;
        Check(trial, trial.Data.Weight(dtype, 48, 123), 3, true, false, bench => (weight, _) => bench.Weight(weight, offset));
    });

    /// <summary>Rows 3 … 10 of 17; with 128 columns they start at a multiple of 256 bytes in every dtype.</summary>
    private static SelfTestCase Sliced(DType dtype) => new("Linear", $"{dtype} [5, 128] to rows 3 to 10 of 17", trial =>
    {
        HostWeight all = trial.Data.Weight(dtype, 17, 128);
        var rows = new float[8, 128];
        for (int row = 0; row < 8; row++)
        {
            for (int k = 0; k < 128; k++)
            {
                rows[row, k] = (float)all.Values[3 + row, k];
            }
        }

        Check(trial, new HostWeight(dtype, rows), 5, true, true, bench => (_, _) => bench.Weight(all, 0).SliceRows(3, 8));
    });

    private static void Check(
        Trial trial, HostWeight weight, int rows, bool bias, bool accumulate, Func<Workbench, Func<HostWeight, int, Weight>> upload)
    {
        float[,] x = trial.Data.Matrix(rows, weight.Columns), before = trial.Data.Matrix(rows, weight.Rows);
        HostWeight? shift = bias ? trial.Data.Weight(weight.DType, 1, weight.Rows) : null;
        Expected expected = LinearOracle.Compute(
            Doubles.From(x), weight.Values, shift?.Vector, accumulate ? Doubles.From(before) : null);
        trial.Compare("y", expected, bench =>
        {
            Matrix y = bench.Strided(before);
            bench.Set.Linear(bench.Strided(x), upload(bench)(weight, 0), bench.Weight(shift), y, accumulate);
            return bench.Read(y);
        });
    }
}

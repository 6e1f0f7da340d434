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

        foreach (SelfTestCase form in Forms())
        {
            yield return form;
        }

        foreach (DType dtype in Enum.GetValues<DType>())
        {
            yield return Unaligned(dtype);
            yield return Rounding(dtype);
            yield return Sliced(dtype);
            yield return ManyTiles(dtype);
        }
    }

    /// <summary>Enough rows and outputs for a tile on every multiprocessor, and addresses as a model's: forms that ask for both.</summary>
    private static SelfTestCase ManyTiles(DType dtype) => new("Linear", $"many tiles: {dtype} [270, 72] to 2100, columns 8 to 79 of 88", trial =>
        Check(
            trial, trial.Data.Weight(dtype, 2100, 72), 270, true, true, bench => bench.Weight,
            (bench, x) =>
            {
                Matrix wide = bench.Zeros(270, 88), slice = wide.Slice(8, 72);
                for (int row = 0; row < 270; row++)
                {
                    bench.Set.Write<float>(wide.Buffer, 4 * (slice.Offset + (long)row * slice.RowStride), Enumerable.Range(0, 72).Select(k => x[row, k]).ToArray());
                }

                return slice;
            }));

    // The forms for few and many rows of sets that have several: full and padded tiles, inputs in one, several and uneven segments, and of any length.
    private static IEnumerable<SelfTestCase> Forms()
    {
        (int Rows, int Depth, int Outputs)[] shapes =
        [
            (1, 8, 1), (1, 520, 130), (7, 24, 17), (8, 264, 64), (9, 128, 65), (16, 776, 70), (17, 40, 129), (33, 520, 72), (129, 96, 130),
            (2, 5, 3), (6, 20, 9), (16, 123, 40), (3, 515, 20), (20, 36, 33), (19, 100, 20), (33, 523, 24),
        ];
        int number = 0;
        foreach (DType dtype in Enum.GetValues<DType>())
        {
            foreach ((int rows, int depth, int outputs) in shapes)
            {
                bool bias = number % 3 == 0, accumulate = number % 2 == 0;
                number++;
                yield return new SelfTestCase("Linear", $"forms: {dtype} [{rows}, {depth}] to {outputs}", trial =>
                    Check(trial, trial.Data.Weight(dtype, outputs, depth), rows, bias, accumulate, bench => bench.Weight));
            }
        }
    }

    /// <summary>Activations of any float32 value are rounded as the set says, no more and no less.</summary>
    private static SelfTestCase Rounding(DType dtype) => new("Linear", $"rounds activations as {dtype} weights ask for, [3, 128] to 48", trial =>
    {
        HostWeight weight = trial.Data.Weight(dtype, 48, 128);
        float[,] x = trial.Data.Matrix(3, 128), rounded = trial.Operand(x, weight);
        Expected expected = LinearOracle.Compute(Doubles.From(rounded), weight.Values, null, null);
        (float[,] got, float[,] reference) = (Project(trial.Set, x), Project(trial.Naive, rounded));
        for (int row = 0; row < 3; row++)
        {
            for (int output = 0; output < 48; output++)
            {
                trial.Check(
                    "y", row, output, expected.Value[row, output], reference[row, output], got[row, output], expected.Epsilon[row, output]);
            }
        }

        float[,] Project(KernelSet set, float[,] rows)
        {
            using var bench = new Workbench(set);
            Matrix y = bench.Zeros(3, 48);
            set.Linear(bench.Matrix(rows), bench.Weight(weight, 0), null, y);
            return bench.Read(y);
        }
    });

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
        Trial trial, HostWeight weight, int rows, bool bias, bool accumulate, Func<Workbench, Func<HostWeight, int, Weight>> upload,
        Func<Workbench, float[,], Matrix>? place = null)
    {
        float[,] x = trial.Operand(trial.Data.Matrix(rows, weight.Columns), weight), before = trial.Data.Matrix(rows, weight.Rows);
        HostWeight? shift = bias ? trial.Data.Weight(weight.DType, 1, weight.Rows) : null;
        Expected expected = LinearOracle.Compute(
            Doubles.From(x), weight.Values, shift?.Vector, accumulate ? Doubles.From(before) : null);
        trial.Compare("y", expected, bench =>
        {
            Matrix y = bench.Strided(before);
            bench.Set.Linear(place?.Invoke(bench, x) ?? bench.Strided(x), upload(bench)(weight, 0), bench.Weight(shift), y, accumulate);
            return bench.Read(y);
        });
    }
}

namespace DeRa.Kernels.Verification;

/// <summary>
/// What a set may do in one launch has the bits of its operations one by one: <see cref="KernelSet.GatedLinear"/>, projections of one x, a norm of
/// what a projection has just added to, and norms of some rows.
/// </summary>
internal static class FusedLayerChecks
{
    // Few rows and many, inputs in one and in several segments, outputs that fill no tile.
    private static readonly (int Rows, int Depth, int Outputs)[] Shapes = [(1, 520, 48), (3, 40, 17), (9, 264, 70), (17, 520, 24), (130, 72, 72), (4, 37, 20), (20, 123, 33)];

    private static readonly (int From, int Rows, int Width)[] Lookups = [(1, 1, 1), (7, 3, 17), (123, 64, 507)];

    public static IEnumerable<SelfTestCase> Cases() => [.. Projections(), .. Enum.GetValues<DType>().SelectMany(dtype => Lookups.Select(shape => OfRows(dtype, shape)))];

    private static IEnumerable<SelfTestCase> Projections() =>
        from dtype in Enum.GetValues<DType>()
        from shape in Shapes
        from check in shape.Rows < 10
            ? new[] { Gated(dtype, shape), Shared(dtype, shape), Followed(dtype, shape) }
            : [Gated(dtype, shape), Shared(dtype, shape)]
        select check;

    private static SelfTestCase Gated(DType dtype, (int Rows, int Depth, int Outputs) shape) =>
        new("GatedLinear", $"{dtype} [{shape.Rows}, {shape.Depth}] to {shape.Outputs}", trial =>
        {
            (int rows, int depth, int outputs) = shape;
            ActivationKind activation = rows % 2 == 0 ? ActivationKind.GeluTanh : ActivationKind.Silu;
            float[,] x = trial.Data.Matrix(rows, depth);
            HostWeight gate = trial.Data.Weight(dtype, outputs, depth), up = trial.Data.Weight(dtype, outputs, depth);
            HostWeight? bias = rows % 3 == 0 ? trial.Data.Weight(dtype, 1, outputs) : null;
            Equal(trial, (bench, isFused) =>
            {
                Matrix from = bench.Matrix(x), gateUp = bench.Zeros(rows, 2 * outputs), y = bench.Strided(new float[rows, outputs]);
                (Weight g, Weight u, Weight? b) = (bench.Weight(gate, 0), bench.Weight(up, 0), bench.Weight(bias));
                if (isFused)
                {
                    bench.Set.GatedLinear(from, g, b, u, null, activation, gateUp, y);
                }
                else
                {
                    bench.Set.Linear(from, g, b, gateUp.Slice(0, outputs));
                    bench.Set.Run();
                    bench.Set.Linear(from, u, null, gateUp.Slice(outputs, outputs));
                    bench.Set.GatedActivation(gateUp, activation, y);
                }

                return bench.Read(y);
            });
        });

    private static SelfTestCase Shared(DType dtype, (int Rows, int Depth, int Outputs) shape) =>
        new("Linear", $"three of one x: {dtype} [{shape.Rows}, {shape.Depth}] to {shape.Outputs}, 16 and 17", trial =>
        {
            float[,] x = trial.Data.Matrix(shape.Rows, shape.Depth);
            HostWeight[] weights = [.. new[] { shape.Outputs, 16, 17 }.Select(n => trial.Data.Weight(dtype, n, shape.Depth))];
            HostWeight bias = trial.Data.Weight(dtype, 1, 16);
            Equal(trial, (bench, isFused) =>
            {
                Matrix from = bench.Matrix(x), y = bench.Strided(new float[shape.Rows, weights.Sum(w => w.Rows)]);
                int column = 0;
                foreach (HostWeight weight in weights)
                {
                    bench.Set.Linear(from, bench.Weight(weight, 0), weight.Rows == 16 ? bench.Weight(bias, 0) : null, y.Slice(column, weight.Rows));
                    column += weight.Rows;
                    if (!isFused)
                    {
                        bench.Set.Run();
                    }
                }

                return bench.Read(y);
            });
        });

    private static SelfTestCase Followed(DType dtype, (int Rows, int Depth, int Outputs) shape) =>
        new("RmsNorm", $"and LayerNorm after the Linear that adds to their rows: {dtype} [{shape.Rows}, {shape.Depth}] to {shape.Outputs}", trial =>
        {
            (int rows, int depth, int width) = shape;
            float[,] x = trial.Data.Matrix(rows, depth), before = trial.Data.Matrix(rows, width);
            HostWeight weight = trial.Data.Weight(dtype, width, depth), gain = trial.Data.Weight(dtype, 1, width);
            Equal(trial, (bench, isFused) =>
            {
                Matrix from = bench.Matrix(x), residual = bench.Strided(before), all = bench.Zeros(rows, 3 * width);
                (Weight w, Weight g) = (bench.Weight(weight, 0), bench.Weight(gain, 0));
                Add();
                bench.Set.RmsNorm(residual, g, 1e-6f, true, all.Slice(0, width));
                Add();
                bench.Set.LayerNorm(residual, g, g, 1e-6f, all.Slice(width, width));
                bench.Set.RmsNorm(residual, g, 1e-6f, false, all.Slice(2 * width, width));
                return bench.Read(all);

                void Add()
                {
                    bench.Set.Linear(from, w, null, residual, accumulate: true);
                    if (!isFused)
                    {
                        bench.Set.Run();
                    }
                }
            });
        });

    private static SelfTestCase OfRows(DType dtype, (int From, int Rows, int Width) shape) =>
        new("RmsNorm", $"and LayerNorm of {shape.Rows} of [{shape.From}, {shape.Width}], {dtype}", trial =>
        {
            (int from, int count, int width) = shape;
            float[,] x = trial.Data.Matrix(from, width, 2, 1);
            HostWeight gain = trial.Data.Weight(dtype, 1, width), bias = trial.Data.Weight(dtype, 1, width);
            int[] wanted = trial.Data.Indices(count, from);
            Equal(trial, (bench, isFused) =>
            {
                Matrix source = bench.Strided(x), all = bench.Strided(new float[count, 3 * width]);
                (IntVector rows, Weight g, Weight b) = (bench.Ints(wanted), bench.Weight(gain, 0), bench.Weight(bias, 0));
                (Matrix rms, Matrix layer, Matrix plain) = (all.Slice(0, width), all.Slice(width, width), all.Slice(2 * width, width));
                if (isFused)
                {
                    bench.Set.RmsNormRows(source, rows, g, 1e-6f, true, rms);
                    bench.Set.LayerNormRows(source, rows, g, b, 1e-6f, layer);
                    bench.Set.LayerNormRows(source, rows, g, null, 1e-6f, plain);
                }
                else
                {
                    foreach (Matrix y in (Matrix[])[rms, layer, plain])
                    {
                        bench.Set.Gather(source, rows, y);
                    }

                    bench.Set.RmsNorm(rms, g, 1e-6f, true, rms);
                    bench.Set.LayerNorm(layer, g, b, 1e-6f, layer);
                    bench.Set.LayerNorm(plain, g, null, 1e-6f, plain);
                }

                return bench.Read(all);
            });
        });

    private static void Equal(Trial trial, Func<Workbench, bool, float[,]> program)
    {
        using var bench = new Workbench(trial.Set);
        float[,] fused = program(bench, true), apart = program(bench, false);
        for (int row = 0; row < fused.GetLength(0); row++)
        {
            for (int column = 0; column < fused.GetLength(1); column++)
            {
                trial.Require(
                    BitConverter.SingleToInt32Bits(fused[row, column]) == BitConverter.SingleToInt32Bits(apart[row, column]),
                    $"[{row}, {column}]: {fused[row, column]:G9} in one, {apart[row, column]:G9} one by one");
            }
        }
    }
}

namespace DeRa.Kernels.Verification;

/// <summary>
/// Checks of <see cref="KernelSet.EnqueueRepeatable"/>: steps of one shape, each over other inputs, have the bits of the same operations enqueued by
/// themselves. Two heads, whose cuts their first sweep leaves open, have the host look at the device in the middle of the step and at its end.
/// </summary>
internal static class RepeatChecks
{
    private const int Steps = 4, Rows = 3, Width = 40, Vocabulary = 700;

    public static IEnumerable<SelfTestCase> Cases() =>
        Enum.GetValues<DType>().Select(dtype => new SelfTestCase("EnqueueRepeatable", $"norm, projection and two heads, {dtype}", trial => Check(trial, dtype)));

    private static void Check(Trial trial, DType dtype)
    {
        KernelSet set = trial.Set;
        using var bench = new Workbench(set);
        TestData data = trial.Data;
        Weight gain = bench.Weight(data.Weight(dtype, 1, Width), 0), projection = bench.Weight(data.Weight(dtype, Width, Width), 0);
        Weight output = bench.Weight(data.Weight(dtype, Vocabulary, Width, deviation: 0.02), 0); // logits so close that many tokens are kept
        Matrix x = bench.Zeros(Rows, Width), normed = bench.Zeros(Rows, Width), hidden = bench.Zeros(Rows, Width);
        DeviceBuffer rows = bench.Buffer<HeadRow>(new HeadRow[Rows]), adjustments = bench.Buffer<TokenAdjustment>(new TokenAdjustment[1]);
        DeviceBuffer[] results = [bench.Buffer<HeadResult>(new HeadResult[Rows]), bench.Buffer<HeadResult>(new HeadResult[Rows])];
        var shape = new object();
        for (uint step = 0; step < Steps; step++)
        {
            float[,] values = data.Matrix(Rows, Width);
            set.Write<float>(x.Buffer, 0, [.. values.Cast<float>()]);
            set.Write<HeadRow>(rows, 0, [.. Enumerable.Range(0, Rows).Select(row => HeadRow.Greedy(0) with
            {
                Temperature = 1, TopP = row == 0 ? 1 : 0.9f, SeedLow = step, Position = row,
            })]);
            HeadResult[] repeated = Run(() => set.EnqueueRepeatable(shape, Enqueue)), single = Run(Enqueue);
            trial.Require(repeated.SequenceEqual(single), $"step {step} as a repeated one differs from its operations by themselves");
        }

        void Enqueue()
        {
            var head = new HeadModel(hidden, output);
            set.RmsNorm(x, gain, 1e-5f, false, normed);
            set.Linear(normed, projection, null, hidden);
            set.RealignHead(head, null, Vocabulary, rows, adjustments, false, results[0], null);
            set.Linear(normed, projection, null, hidden, accumulate: true);
            set.RealignHead(head, null, Vocabulary, rows, adjustments, false, results[1], null);
        }

        HeadResult[] Run(Action enqueue)
        {
            foreach (DeviceBuffer buffer in results)
            {
                set.Write<HeadResult>(buffer, 0, new HeadResult[Rows]);
            }

            enqueue();
            set.Run();
            return [.. results.SelectMany(buffer => bench.Read<HeadResult>(buffer, Rows)).Select(Plain)];
        }
    }

    // NaN stands for what a model that does not run would say, and is no equal of itself.
    private static HeadResult Plain(HeadResult result) => new()
    {
        Token = result.Token,
        LogProb = result.LogProb,
        TopCount = result.TopCount,
        ExtraSweeps = result.ExtraSweeps,
    };
}

namespace DeRa.Kernels.Verification;

/// <summary>
/// A row has the same bits alone and among others, in every form that a set has of <see cref="KernelSet.Linear"/> for few and for many rows. Inputs are three
/// segments of CUDA's, the last of which ends within a block.
/// </summary>
internal static class BatchChecks
{
    private const int Rows = 40, Depth = 584, Outputs = 136;

    public static IEnumerable<SelfTestCase> Cases() =>
        Enum.GetValues<DType>().Select(dtype => new SelfTestCase("Linear", $"rows alone and among others, {dtype} [{Rows}, {Depth}] to {Outputs}", trial =>
        {
            using var bench = new Workbench(trial.Set);
            Matrix x = bench.Matrix(trial.Data.Matrix(Rows, Depth));
            Weight weight = bench.Weight(trial.Data.Weight(dtype, Outputs, Depth), 0);
            float[] all = Project(0, Rows);
            foreach ((int start, int count) in new[] { (0, 1), (7, 4), (20, 16), (23, 17) })
            {
                bool isSame = Project(start, count).SequenceEqual(all.Skip(start * Outputs).Take(count * Outputs));
                trial.Require(isSame, $"rows {start} to {start + count - 1} have other bits by themselves than among {Rows}");
            }

            float[] Project(int start, int count)
            {
                Matrix y = bench.Zeros(count, Outputs);
                trial.Set.Linear(x with { Offset = (long)start * Depth, Rows = count }, weight, null, y);
                return [.. bench.Read(y).Cast<float>()];
            }
        }));
}

namespace DeRa.Evaluation.Tests;

/// <summary>Plans of numbered prompts, and running them.</summary>
internal static class Sweeps
{
    public const string Fingerprint = "f";

    public static SweepPlan Plan(int prompts, float[] lambdas, int samples = 1, ulong seed = 0, Shard? shard = null, bool coupled = true) => new(
        [.. Enumerable.Range(0, prompts).Select(i => new SweepPrompt(i, $"p{i}", $"prompt {i}", [i, i + 1]))], lambdas, samples, seed, coupled, shard: shard);

    public static async Task RunAsync(SweepPlan plan, string path, ISampleSource source, int workers = 4, CancellationToken cancellationToken = default)
    {
        using ResultLog log = ResultLog.Open(path, plan, Fingerprint);
        await new SweepRunner(plan, Fingerprint, source, [new ValueReward()], workers).RunAsync(log, null, cancellationToken);
    }

    /// <summary>The lines of a sweep without a file, which the disk would make slow.</summary>
    public static async Task<IReadOnlyList<ResultLine>> LinesAsync(SweepPlan plan, ISampleSource source)
    {
        var lines = new List<ResultLine>();
        foreach (SweepUnit unit in plan.ShardPrompts.SelectMany(plan.UnitsOf))
        {
            DrawnSample sample = await source.DrawAsync(plan, unit, CancellationToken.None);
            double value = double.Parse(sample.Text, System.Globalization.CultureInfo.InvariantCulture);
            lines.Add(ResultLine.Of("", unit, sample, new Dictionary<string, double> { ["value"] = value }));
        }

        return lines;
    }
}

using DeRa.Engine;

namespace DeRa.Evaluation.Tests.ExactWorld;

/// <summary>
/// Small sweeps of a pair whose mean reward at every λ is a finite sum: an interval of 95 % must hold it in about 95 of 100 sweeps. Prompts are drawn at
/// random, since the intervals speak of the distribution that prompts come from.
/// </summary>
public sealed class ExactWorldCoverageTests
{
    private const int Seeds = 200;
    private const int Prompts = 60;
    private const double Beta = 0.4;

    private static readonly float[] Lambdas = [0, 0.5f, 1, 2];

    /// <summary>What a prompt may be: the begin token, alone or with a word after it.</summary>
    private static readonly int[][] Beginnings = [[IncreasingWorld.Begin], .. Enumerable.Range(2, 6).Select(word => (int[])[IncreasingWorld.Begin, word])];

    private readonly IncreasingWorld world = new(seed: 3);

    [Test]
    public async Task Intervals_of_the_mean_reward_hold_its_exact_value_at_the_stated_rate()
    {
        double[,] alignedSteps = world.Steps(world.Optimum(Beta));
        double[] truths = [.. Lambdas.Select(lambda => MeanReward(IncreasingWorld.Mixture(world.ReferenceSteps, alignedSteps, lambda).Steps))];
        Dictionary<string, double> rewards = world.Texts.Select((text, i) => (Key: Key(text), Reward: world.Rewards[i])).ToDictionary(one => one.Key, one => one.Reward);

        using var reference = new TableCheckpoint(world.ReferenceSteps);
        using var aligned = new TableCheckpoint(alignedSteps);
        await using RealignmentEngine engine = await RealignmentEngine.LoadAsync(
            new EngineOptions { ReferenceFolder = reference.Path, AlignedFolder = aligned.Path, Device = "cpu", MaxSequences = 256 });
        var source = new EngineSampleSource(engine, new GenerationRequest { PromptTokens = Beginnings[0], MaxTokens = 9 });

        var held = new int[Lambdas.Length];
        for (int seed = 0; seed < Seeds; seed++)
        {
            SweepPlan plan = Plan(seed);
            ResultLine[] lines = await Task.WhenAll(plan.Prompts.SelectMany(plan.UnitsOf).Select(async unit =>
            {
                DrawnSample sample = await source.DrawAsync(plan, unit, CancellationToken.None);
                return ResultLine.Of(string.Empty, unit, sample, new Dictionary<string, double> { ["gain"] = rewards[Key([.. unit.Prompt.Tokens, .. sample.Tokens])] });
            }));
            SweepSummary summary = SweepAnalysis.Summarise(
                SweepData.Load(lines, plan.Lambdas, plan.Samples, ["gain"]), new AnalysisOptions { Resamples = 1000, Seed = (ulong)seed });
            for (int l = 0; l < Lambdas.Length; l++)
            {
                Interval interval = summary.Lambdas[l].Rewards["gain"].Reward;
                held[l] += interval.Low <= truths[l] && truths[l] <= interval.High ? 1 : 0;
            }
        }

        TestContext.Out.WriteLine(string.Join("; ", Lambdas.Select((lambda, l) => FormattableString.Invariant($"λ = {lambda}: exact {truths[l]:F4}, held by {held[l]} of {Seeds}"))));

        // A count of 200 at a rate of 0.95 has a deviation of √(200·0.95·0.05) = 3.1, 1.5 %: 90 to 98 % is left by one in 60, four of the deviations by
        // one in 10,000. Pooled, the λ share their prompts and noise, so the deviation is at most the same.
        double four = 4 * Math.Sqrt(0.95 * 0.05 / Seeds);
        for (int l = 0; l < Lambdas.Length; l++)
        {
            Assert.That((double)held[l] / Seeds, Is.InRange(0.95 - four, Math.Min(0.95 + four, 1 - (0.5 / Seeds))), $"λ = {Lambdas[l]}");
        }

        Assert.That((double)held.Sum() / (Seeds * Lambdas.Length), Is.InRange(0.90, 0.98), "all λ");
    }

    /// <summary>E[r] over prompts, which are equally likely, and over the texts that go on from each.</summary>
    private double MeanReward(double[,] steps) => Beginnings.Average(beginning => world.Texts
        .Select((text, i) => text.AsSpan().StartsWith(beginning) ? Math.Exp(IncreasingWorld.Sum(steps, text) - IncreasingWorld.Sum(steps, beginning)) * world.Rewards[i] : 0)
        .Sum());

    private static SweepPlan Plan(int seed)
    {
        var random = new Random(seed);
        return new SweepPlan(
            [.. Enumerable.Range(0, Prompts).Select(i => new SweepPrompt(i, $"p{i}", string.Empty, Beginnings[random.Next(Beginnings.Length)]))],
            Lambdas, samples: 1, seed: (ulong)seed);
    }

    private static string Key(IEnumerable<int> tokens) => string.Join(',', tokens);
}

namespace DeRa.Evaluation.Tests;

/// <summary>Sweeps over a world with known means: an interval of 95 % must hold the truth in about 95 of 100 sweeps.</summary>
public sealed class CoverageTests
{
    private const int Seeds = 200;

    private static readonly float[] Lambdas = [0, 0.5f, 1, 1.5f];

    private static double Truth(float lambda) => 1 + lambda - (0.3 * lambda * lambda);

    [TestCase(20)]
    [TestCase(60)]
    public async Task Intervals_hold_the_truth_at_the_stated_rate(int prompts)
    {
        int meanHeld = 0, differenceHeld = 0, allHeld = 0;
        for (int seed = 0; seed < Seeds; seed++)
        {
            SweepPlan plan = Sweeps.Plan(prompts, Lambdas, samples: 2, seed: (ulong)seed);
            SweepSummary summary = SweepAnalysis.Summarise(
                SweepData.Load(await Sweeps.LinesAsync(plan, new SyntheticSource(Truth)), plan.Lambdas, 2, ["value"]), new AnalysisOptions { Resamples = 1000, Seed = (ulong)seed });
            RewardSummary[] rewards = [.. summary.Lambdas.Select(lambda => lambda.Rewards["value"])];
            meanHeld += Holds(rewards[1].Reward, Truth(0.5f)) ? 1 : 0;
            differenceHeld += Holds(rewards[3].DifferenceFromAligned!, Truth(1.5f) - Truth(1)) ? 1 : 0;
            allHeld += rewards.Select((reward, i) => Holds(reward.SimultaneousDifferenceFromAligned!, Truth(Lambdas[i]) - Truth(1))).All(held => held) ? 1 : 0;
        }

        TestContext.Out.WriteLine($"{prompts} prompts: mean {meanHeld}, difference {differenceHeld}, all differences {allHeld} of {Seeds}");
        Assert.That((double)meanHeld / Seeds, Is.InRange(0.90, 0.98), "means");
        Assert.That((double)differenceHeld / Seeds, Is.InRange(0.90, 0.98), "paired differences");
        Assert.That((double)allHeld / Seeds, Is.InRange(0.90, 0.98), "all differences at once");
    }

    private static bool Holds(Interval interval, double truth) => interval.Low - 1e-12 <= truth && truth <= interval.High + 1e-12;
}

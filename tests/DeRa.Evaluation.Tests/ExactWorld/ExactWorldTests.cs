namespace DeRa.Evaluation.Tests.ExactWorld;

/// <summary>
/// The paper's statements about sequences, over every text of a world in float64:
/// π*(β/λ) ∝ p_r^(1−λ)·π*(β)^λ (eq. 5), and log [p_r^(1−λ)·π*(β)^λ](y) = log p_λ(y) + Σ_t A_t(λ) for what decoding samples, p_λ.
/// </summary>
[TestFixture(1)]
[TestFixture(2)]
[TestFixture(3)]
public sealed class ExactWorldTests(int seed)
{
    /// <summary>Sums of 256 terms of order 1 in float64.</summary>
    private const double Rounding = 1e-12;

    private const double Beta = 0.4;

    private static readonly double[] Lambdas = [0, 0.2, 0.5, 0.8, 1, 1.5, 2];

    private readonly IncreasingWorld world = new(seed);

    [Test]
    public void The_world_is_listed_whole()
    {
        Assert.That(world.Texts, Has.Length.EqualTo(256));
        Assert.That(world.Reference.Sum(Math.Exp), Is.EqualTo(1).Within(Rounding));
        Assert.That(world.Texts.Select(text => string.Join(',', text)).Distinct().Count(), Is.EqualTo(256));
    }

    [Test]
    public void The_optimum_maximises_reward_less_beta_times_divergence()
    {
        double[] optimum = world.Optimum(Beta);
        double best = Objective(optimum);
        var random = new Random(seed);
        for (int trial = 0; trial < 100; trial++)
        {
            double[] other = IncreasingWorld.Normalized([.. optimum.Select(log => log + (0.2 * (random.NextDouble() - 0.5)))]);
            Assert.That(Objective(other), Is.LessThan(best));
        }
    }

    [Test]
    public void The_optimum_is_a_table_of_steps()
    {
        double[] optimum = world.Optimum(Beta);
        double[,] steps = world.Steps(optimum);
        Assert.That(world.Texts.Select(text => IncreasingWorld.Sum(steps, text)), Is.EqualTo(optimum).Within(Rounding));
    }

    [TestCaseSource(nameof(Lambdas))]
    public void Equation_5_is_exact_for_texts(double lambda)
    {
        double[] aligned = world.Optimum(Beta);
        double[] mixture = IncreasingWorld.Normalized([.. world.Reference.Zip(aligned, (r, a) => ((1 - lambda) * r) + (lambda * a))]);
        double[] retrained = lambda == 0 ? world.Reference : world.Optimum(Beta / lambda);
        Assert.That(mixture, Is.EqualTo(retrained).Within(Rounding));
    }

    [TestCaseSource(nameof(Lambdas))]
    public void The_gap_of_decoding_token_by_token_is_the_sum_of_the_log_normalisers(double lambda)
    {
        double[] aligned = world.Optimum(Beta);
        (double[] decoded, double[] gaps) = Decoded(lambda);
        Assert.That(decoded.Sum(Math.Exp), Is.EqualTo(1).Within(Rounding), "decoding is a distribution over the texts");
        double[] geometric = [.. world.Reference.Zip(aligned, (r, a) => ((1 - lambda) * r) + (lambda * a))];
        Assert.That(decoded.Zip(gaps, (log, gap) => log + gap), Is.EqualTo(geometric).Within(Rounding));

        double[] corrected = IncreasingWorld.Normalized([.. decoded.Zip(gaps, (log, gap) => log + gap)]);
        Assert.That(corrected, Is.EqualTo(lambda == 0 ? world.Reference : world.Optimum(Beta / lambda)).Within(Rounding));
    }

    [Test]
    public void Decoding_token_by_token_is_exact_at_the_ends_near_between_them_and_far_beyond()
    {
        foreach (double lambda in Lambdas)
        {
            double[] retrained = lambda == 0 ? world.Reference : world.Optimum(Beta / lambda);
            double distance = IncreasingWorld.TotalVariation(Decoded(lambda).Texts.Select(Math.Exp), retrained.Select(Math.Exp));
            TestContext.Out.WriteLine(FormattableString.Invariant(
                $"seed {seed}, λ = {lambda}: total variation {distance:F4}; mean reward of decoding {Reward(Decoded(lambda).Texts):F4}, of the optimum {Reward(retrained):F4}"));
            Assert.That(
                distance,
                lambda switch { 0 or 1 => Is.LessThan(Rounding), < 1 => Is.InRange(0.01, 0.05), < 2 => Is.InRange(0.04, 0.2), _ => Is.InRange(0.06, 0.4) },
                $"λ = {lambda}");
        }
    }

    private (double[] Texts, double[] Gaps) Decoded(double lambda)
    {
        (double[,] steps, double[] normalizers) = IncreasingWorld.Mixture(world.ReferenceSteps, world.Steps(world.Optimum(Beta)), lambda);
        return (
            [.. world.Texts.Select(text => IncreasingWorld.Sum(steps, text))],
            [.. world.Texts.Select(text => text[..^1].Sum(current => normalizers[current]))]);
    }

    private double Reward(double[] logTexts) => logTexts.Select((log, i) => Math.Exp(log) * world.Rewards[i]).Sum();

    private double Objective(double[] logTexts) =>
        logTexts.Select((log, i) => Math.Exp(log) * (world.Rewards[i] - (Beta * (log - world.Reference[i])))).Sum();
}

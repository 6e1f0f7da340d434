namespace DeRa.Evaluation.Tests;

/// <summary>Which λ is recommended, and what is said of it.</summary>
public sealed class SelectionTests
{
    private static async Task<SweepSummary> SummariseAsync(
        Func<float, double> mean, float[]? lambdas = null, int prompts = 60, double noise = 0.1, double? budget = null, double? beta = null)
    {
        SweepPlan plan = Sweeps.Plan(prompts, lambdas ?? [0, 0.5f, 1, 1.5f, 2], samples: 2);
        SweepData data = SweepData.Load(await Sweeps.LinesAsync(plan, new SyntheticSource(mean, 1, noise)), plan.Lambdas, plan.Samples, ["value"]);
        return SweepAnalysis.Summarise(data, new AnalysisOptions { Resamples = 1000, KlBudget = budget, Beta = beta });
    }

    [Test]
    public async Task The_highest_mean_wins_where_it_is_clear()
    {
        Recommendation found = (await SummariseAsync(lambda => -(lambda - 1.5) * (lambda - 1.5), beta: 0.3)).Recommendations[0];
        Assert.That(found.Lambda, Is.EqualTo(1.5));
        Assert.That(found.EffectiveBeta, Is.EqualTo(0.2).Within(1e-12));
        Assert.That(found.DiffersFromAligned, Does.Contain(0).And.Contain(1.5));
        Assert.That(found.Verdict, Does.Contain("β/λ = 0.3/1.5 = 0.2").And.Contain("higher by"));
    }

    [Test]
    public async Task Within_one_standard_error_the_nearest_to_the_reference_is_taken()
    {
        Recommendation found = (await SummariseAsync(lambda => lambda >= 1 ? 1 : lambda)).Recommendations[0];
        Assert.That(found.Lambda, Is.EqualTo(1).Or.EqualTo(found.BestLambda));
        Assert.That(found.Lambda, Is.LessThanOrEqualTo(found.BestLambda!.Value));
        Recommendation flat = (await SummariseAsync(_ => 0, noise: 0)).Recommendations[0];
        Assert.That(flat.Lambda, Is.Zero, "all are equal");
    }

    [Test]
    public async Task A_budget_of_KL_is_kept()
    {
        // The synthetic KL is λ².
        SweepSummary summary = await SummariseAsync(lambda => lambda, budget: 1.1);
        Assert.That(summary.Recommendations[0].Lambda, Is.EqualTo(1));
        Recommendation none = (await SummariseAsync(lambda => lambda, [1, 2], budget: 0.5)).Recommendations[0];
        Assert.That(none.Lambda, Is.Null);
        Assert.That(none.Verdict, Does.Contain("No λ of the grid").And.Contain("λ = 1"));
    }

    [Test]
    public async Task Noise_is_called_noise()
    {
        Recommendation found = (await SummariseAsync(_ => 0, prompts: 15, noise: 2)).Recommendations[0];
        Assert.That(found.DiffersFromAligned, Is.Empty);
        Assert.That(found.Verdict, Does.Contain("No λ differs from 1 within the noise: use more prompts (about "));
    }

    [Test]
    public async Task Without_lambda_1_nothing_is_said_of_the_aligned_model()
    {
        SweepSummary summary = await SummariseAsync(lambda => lambda, [0, 0.5f]);
        Assert.That(summary.Recommendations[0].Verdict, Does.Contain("λ = 1 is not in the grid"));
        Assert.That(summary.Lambdas[0].Rewards["value"].WinRateAgainstAligned, Is.Null);
        Assert.That(summary.Lambdas[1].Rewards["value"].WinRateAgainstReference!.Mean, Is.GreaterThan(0.9));
    }

    [Test]
    public async Task Extrapolation_is_warned_of_from_a_nat_on()
    {
        // The synthetic ΣA is λ·(λ − 1): 2 at λ = 2, 0.75 at λ = 1.5.
        SweepSummary summary = await SummariseAsync(lambda => lambda);
        Assert.That(summary.Warnings, Has.Count.EqualTo(1));
        Assert.That(summary.Warnings[0], Does.StartWith("λ = 2 extrapolates"));
        Assert.That((await SummariseAsync(lambda => lambda, [0, 1, 1.5f])).Warnings, Is.Empty);
    }

    [Test]
    public async Task One_prompt_gives_means_without_intervals()
    {
        SweepSummary summary = await SummariseAsync(lambda => lambda, prompts: 1);
        Assert.That(summary.Lambdas[0].Rewards["value"].Reward.Low, Is.Null);
        Assert.That(summary.Recommendations[0].Verdict, Does.Contain("One prompt says nothing of the noise"));
        Assert.That(summary.Warnings, Has.Some.Contains("1 prompt is too few"));
    }

    [Test]
    public void The_choice_among_candidates_follows_their_weights()
    {
        double[] logWeights = [0, Math.Log(2), Math.Log(5)];
        int[] counts = new int[3];
        for (int i = 0; i < 20_000; i++)
        {
            var random = new SplitMix64((ulong)i * 77);
            double[] noise = [.. Enumerable.Range(0, 3).Select(_ => -Math.Log(-Math.Log(random.NextDouble())))];
            counts[CandidateChoice.Of(logWeights, k => noise[k]).Chosen]++;
        }

        Assert.That(counts[1] / (double)counts[0], Is.EqualTo(2).Within(0.15));
        Assert.That(counts[2] / (double)counts[0], Is.EqualTo(5).Within(0.35));
        Assert.That(CandidateChoice.Of(logWeights, _ => 0).EffectiveSampleSize, Is.EqualTo(64 / 30.0).Within(1e-12));
    }

    [Test]
    public async Task The_table_has_a_value_for_every_column_and_Parquet_reads_back()
    {
        IReadOnlyList<SummaryRow> rows = SummaryRow.Of(await SummariseAsync(lambda => lambda));
        Assert.That(rows.Select(row => row.Values.Count), Is.All.EqualTo(SummaryRow.Columns.Count));
        Assert.That(SummaryRow.Csv(rows).Split("\r\n").SkipLast(1).Select(line => line.Split(',').Length), Is.All.EqualTo(SummaryRow.Columns.Count + 1));

        using var stream = new MemoryStream(await SummaryParquet.WriteAsync(rows));
        await using Parquet.ParquetReader reader = await Parquet.ParquetReader.CreateAsync(stream);
        Assert.That(reader.Schema.DataFields.Select(field => field.Name), Is.EqualTo(SummaryRow.Columns.Prepend("reward_name")));
        Assert.That(reader.RowGroupCount, Is.EqualTo(1));
    }
}

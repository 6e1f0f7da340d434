namespace DeRa.Evaluation;

/// <summary>
/// The rule that recommends a λ. Among λ whose mean KL keeps the budget, the best is that of the highest mean reward; recommended is the one nearest to
/// the reference whose mean reward is within one standard error of the best, the standard error being that of the difference, paired by prompt.
/// </summary>
/// <remarks>
/// The one-standard-error rule (Breiman and others, Classification and Regression Trees, 1984, section 3.4.3) prefers the simpler choice where data cannot
/// tell; nearer to the reference is the simpler one here.
/// </remarks>
internal static class LambdaSelection
{
    public static Recommendation Recommend(string reward, SweepData data, LambdaSummary[] lambdas, PairedBootstrap bootstrap, AnalysisOptions options)
    {
        double[][] series = [.. data.Series.Select(one => one.Rewards[reward].Mean)];
        double[] differing =
        [
            .. lambdas.Where(one => one.Rewards[reward].SimultaneousDifferenceFromAligned is { Low: { } low, High: { } high } && (low > 0 || high < 0))
                .Select(one => one.Lambda),
        ];
        string rule = Rule(options.KlBudget);
        int[] within = [.. Enumerable.Range(0, lambdas.Length).Where(i => !(lambdas[i].KlReference.Mean > options.KlBudget))];
        if (within.Length == 0)
        {
            LambdaSummary nearest = lambdas.MinBy(one => one.KlReference.Mean)!;
            return new Recommendation(reward, null, null, null, differing, rule, FormattableString.Invariant(
                $"No λ of the grid keeps the mean KL within {options.KlBudget}; the smallest is {nearest.KlReference.Mean:G4}, at λ = {nearest.Lambda}. Add smaller λ or allow more KL."));
        }

        int best = within.OrderByDescending(i => series[i].Average()).ThenBy(i => Math.Abs(lambdas[i].Lambda)).First();
        int chosen = within
            .Where(i => Math.Abs(lambdas[i].Lambda) <= Math.Abs(lambdas[best].Lambda) && IsWithinOneError(bootstrap, series[best], series[i]))
            .OrderBy(i => Math.Abs(lambdas[i].Lambda)).First();
        double lambda = lambdas[chosen].Lambda;
        return new Recommendation(
            reward, lambda, SweepAnalysis.EffectiveBeta(options.Beta, lambda), lambdas[best].Lambda, differing, rule,
            Verdict.Write(reward, lambdas, chosen, best, differing, data.PromptCount, options));
    }

    private static bool IsWithinOneError(PairedBootstrap bootstrap, double[] best, double[] other)
    {
        Estimate behind = bootstrap.Differences([best], other)[0];
        return behind.Mean <= 0 || behind.Mean <= behind.StandardError;
    }

    private static string Rule(double? budget) => FormattableString.Invariant(
        $"highest mean reward{(budget is { } limit ? FormattableString.Invariant($" with mean KL of at most {limit}") : "")}; then the λ nearest to the reference within one standard error of it (of the difference, paired by prompt)");
}

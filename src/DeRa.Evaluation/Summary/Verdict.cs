using System.Globalization;

namespace DeRa.Evaluation;

/// <summary>Says in plain words what a recommendation rests on.</summary>
internal static class Verdict
{
    public static string Write(string reward, LambdaSummary[] lambdas, int chosen, int best, double[] differing, int prompts, AnalysisOptions options)
    {
        LambdaSummary choice = lambdas[chosen];
        var sentences = new List<string>
        {
            $"Take λ = {Number(choice.Lambda)}: mean reward {WithInterval(choice.Rewards[reward].Reward)} at a KL of {Number(choice.KlReference.Mean)} from the reference.",
        };
        if (best != chosen)
        {
            sentences.Add($"The highest mean is {Number(lambdas[best].Rewards[reward].Reward.Mean)} at λ = {Number(lambdas[best].Lambda)}; λ = {Number(choice.Lambda)} is within one standard error of it and stays nearer to the reference.");
        }

        sentences.Add(AgainstAligned(reward, lambdas, chosen, differing, prompts));
        if (lambdas.Length > 1 && lambdas[best].Lambda != 0 && (best == 0 || best == lambdas.Length - 1) && options.KlBudget is null)
        {
            sentences.Add($"The best λ is at an end of the grid; {(best == 0 ? "smaller" : "larger")} values might be better still.");
        }

        if (options.Beta is { } beta)
        {
            sentences.Add(choice.Lambda switch
            {
                0 => "λ = 0 is the reference itself: there is nothing to retrain.",
                1 => $"That is β = {Number(beta)}, which the aligned model was trained with.",
                _ => $"To have this in one model, retrain with β/λ = {Number(beta)}/{Number(choice.Lambda)} = {Number(beta / choice.Lambda)}.",
            });
        }

        return string.Join(" ", sentences.Where(sentence => sentence.Length > 0));
    }

    private static string AgainstAligned(string reward, LambdaSummary[] lambdas, int chosen, double[] differing, int prompts)
    {
        RewardSummary at = lambdas[chosen].Rewards[reward];
        if (at.DifferenceFromAligned is not { } difference)
        {
            return "λ = 1 is not in the grid, so nothing is said of the aligned model.";
        }

        if (difference.Low is null)
        {
            return "One prompt says nothing of the noise: use more prompts.";
        }

        if (differing.Length == 0)
        {
            return $"No λ differs from 1 within the noise: use more prompts{Needed(reward, lambdas, prompts)}.";
        }

        if (lambdas[chosen].Lambda == 1)
        {
            return "That is the aligned model itself.";
        }

        return differing.Contains(lambdas[chosen].Lambda)
            ? $"Against λ = 1 its reward is {(difference.Mean > 0 ? "higher" : "lower")} by {WithInterval(difference with { Mean = Math.Abs(difference.Mean), Low = Math.Min(Math.Abs(difference.Low.Value), Math.Abs(difference.High!.Value)), High = Math.Max(Math.Abs(difference.Low.Value), Math.Abs(difference.High.Value)) })}."
            : $"Its reward does not differ from that at λ = 1 by more than chance; that at λ = {string.Join(", ", differing.Select(Number))} does.";
    }

    /// <summary>Intervals shrink with the root of the number of prompts; so many would part the largest difference seen from 0, if it is real.</summary>
    private static string Needed(string reward, LambdaSummary[] lambdas, int prompts)
    {
        double least = double.PositiveInfinity;
        foreach (LambdaSummary one in lambdas)
        {
            if (one.Rewards[reward].SimultaneousDifferenceFromAligned is { Mean: not 0, High: { } high } difference && high > difference.Mean)
            {
                double ratio = (high - difference.Mean) / Math.Abs(difference.Mean);
                least = Math.Min(least, prompts * ratio * ratio);
            }
        }

        if (!(least < 1e7))
        {
            return "";
        }

        double unit = Math.Pow(10, Math.Max(0, Math.Floor(Math.Log10(least)) - 1));
        return string.Create(CultureInfo.InvariantCulture, $" (about {Math.Ceiling(least / unit) * unit:N0} would tell, if the largest difference seen is real)");
    }

    private static string WithInterval(Interval interval) =>
        interval.Low is { } low && interval.High is { } high ? $"{Number(interval.Mean)} ({Number(low)} to {Number(high)})" : Number(interval.Mean);

    private static string Number(double value) => value.ToString("G3", CultureInfo.InvariantCulture);
}

using System.Globalization;
using DeRa.Evaluation;
using Spectre.Console;

namespace DeRa.Cli.Output;

/// <summary>What a sweep found, for people: a table per reward, the verdicts, the warnings; or the summary as JSON.</summary>
internal static class SweepTable
{
    /// <summary>Enough for the longest cells without wrapping.</summary>
    private const int WidthWhenRedirected = 160;

    public static void Write(SweepSummary summary, SweepFolder folder, bool asJson)
    {
        if (asJson)
        {
            Json.WriteLine(summary);
            return;
        }

        foreach (Recommendation recommendation in summary.Recommendations)
        {
            Terminal.Write(TableOf(summary, recommendation), WidthWhenRedirected);
            Console.Out.WriteLine($"{recommendation.Reward}: {recommendation.Verdict}");
            Console.Out.WriteLine();
        }

        foreach (string warning in summary.Warnings)
        {
            Console.Out.WriteLine($"Careful: {warning}");
        }

        Console.Out.WriteLine($"Report: {Path.Combine(folder.FullPath, "report.html")}");
    }

    private static Table TableOf(SweepSummary summary, Recommendation recommendation)
    {
        Table table = new Table().Border(TableBorder.Rounded).Title(Markup.Escape(recommendation.Reward));
        string[] titles = ["λ", .. summary.Beta is null ? [] : new[] { "β/λ" }, "reward", "KL from reference", "wins against 0", "wins against 1", "ΣA", "tokens"];
        foreach (string title in titles)
        {
            table.AddColumn(new TableColumn(new Text(title)).NoWrap().RightAligned());
        }

        foreach (LambdaSummary lambda in summary.Lambdas)
        {
            RewardSummary reward = lambda.Rewards[recommendation.Reward];
            bool recommended = lambda.Lambda == recommendation.Lambda;
            string[] cells =
            [
                (recommended ? "► " : "") + Number(lambda.Lambda),
                .. summary.Beta is null ? [] : new[] { lambda.EffectiveBeta is { } beta ? Number(beta) : "∞" },
                Text(reward.Reward), Text(lambda.KlReference), Text(reward.WinRateAgainstReference), Text(reward.WinRateAgainstAligned),
                Number(lambda.SequenceGap.Mean), Number(lambda.Length.Mean),
            ];
            table.AddRow(cells.Select(cell => new Text(cell, recommended ? new Style(decoration: Decoration.Bold) : Style.Plain)));
        }

        return table;
    }

    private static string Text(Interval? interval) => interval switch
    {
        null => "",
        { Low: { } low, High: { } high } => $"{Number(interval.Mean)} ({Number(low)} to {Number(high)})",
        _ => Number(interval.Mean),
    };

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}

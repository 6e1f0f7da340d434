using System.Globalization;
using System.Text;

namespace DeRa.Evaluation;

/// <summary>The report's tables: figures per λ, responses side by side, what the sweep was made from.</summary>
internal static class ReportTables
{
    public static void AppendFigures(StringBuilder html, SweepSummary summary, Recommendation recommendation)
    {
        bool beta = summary.Beta is not null;
        html.Append("<details open><summary>Figures</summary><div class=\"scroll\"><table><tr><th>λ</th>").Append(beta ? "<th>β/λ</th>" : "");
        html.Append("<th>reward</th><th>minus λ = 1</th><th>wins against 0</th><th>wins against 1</th><th>KL</th><th>ΣA</th><th>tokens</th></tr>\n");
        foreach (LambdaSummary lambda in summary.Lambdas)
        {
            RewardSummary reward = lambda.Rewards[recommendation.Reward];
            html.Append(lambda.Lambda == recommendation.Lambda ? "<tr class=\"chosen\">" : "<tr>");
            html.Append(CultureInfo.InvariantCulture, $"<td>{LinePlot.Number(lambda.Lambda)}</td>");
            if (beta)
            {
                html.Append(CultureInfo.InvariantCulture, $"<td>{(lambda.EffectiveBeta is { } value ? LinePlot.Number(value) : "∞")}</td>");
            }

            foreach (Interval? interval in (Interval?[])
                [reward.Reward, reward.DifferenceFromAligned, reward.WinRateAgainstReference, reward.WinRateAgainstAligned, lambda.KlReference, lambda.SequenceGap, lambda.Length])
            {
                html.Append("<td>").Append(Cell(interval)).Append("</td>");
            }

            html.Append("</tr>\n");
        }

        html.Append("</table></div></details>\n");
    }

    public static void AppendSamples(StringBuilder html, SweepData data, SweepSummary summary)
    {
        html.Append("<h2>Responses side by side</h2>\n<p class=\"soft\">The first sample of each of the first prompts; all are in results.jsonl.</p>\n");
        bool open = true;
        foreach (IGrouping<int, ResultLine> prompt in data.Examples.GroupBy(line => line.PromptIndex))
        {
            html.Append(CultureInfo.InvariantCulture, $"<details{(open ? " open" : "")}><summary>{Escape(prompt.First().Prompt)}</summary><div class=\"samples\" tabindex=\"0\">\n");
            open = false;
            foreach (ResultLine line in prompt)
            {
                double lambda = LambdaValue.Decimal(line.Lambda);
                bool chosen = summary.Recommendations[0].Lambda == lambda;
                string figures = string.Join(", ", line.Rewards.Select(reward => $"{reward.Key} {LinePlot.Number(reward.Value)}"));
                string text = line.Text.Length > 0 ? line.Text : string.Join(" ", line.Tokens);
                html.Append(CultureInfo.InvariantCulture, $"<div class=\"sample{(chosen ? " chosen" : "")}\"><b>λ = {LinePlot.Number(lambda)}</b><p>{Escape(text)}</p><span class=\"soft\">{Escape(figures)}; KL {line.KlReference:0.##}, {line.Length} tokens</span></div>\n");
            }

            html.Append("</div></details>\n");
        }
    }

    public static void AppendOrigin(StringBuilder html, SweepManifest manifest)
    {
        html.Append("<h2>What this was made from</h2>\n<details><summary>Settings, inputs, versions</summary><dl>\n");
        Row("command", string.Join(" ", manifest.Command));
        Row("device", string.Join(", ", manifest.Devices));
        foreach ((string name, string value) in manifest.Versions.Concat(manifest.Settings))
        {
            Row(name, value.Replace('\0', '\n'));
        }

        foreach (HashedFile input in manifest.Inputs)
        {
            Row(input.Role, string.Create(CultureInfo.InvariantCulture, $"{input.File}, {input.Bytes} bytes, SHA-256 {input.Sha256}"));
        }

        html.Append("</dl></details>\n");

        void Row(string name, string value) =>
            html.Append(CultureInfo.InvariantCulture, $"<dt>{Escape(name)}</dt><dd><code>{Escape(value)}</code></dd>\n");
    }

    private static string Cell(Interval? interval) => interval switch
    {
        null => "",
        { Low: { } low, High: { } high } => $"{Short(interval.Mean)} <span class=\"soft\">({Short(low)} to {Short(high)})</span>",
        _ => Short(interval.Mean),
    };

    private static string Short(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private static string Escape(string text) => LinePlot.Escape(text);
}

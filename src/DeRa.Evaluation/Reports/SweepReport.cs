using System.Globalization;
using System.Text;

namespace DeRa.Evaluation;

/// <summary>
/// report.html: one page with everything in it, no scripts and nothing to fetch. The verdict first, then per reward the plots it rests on, the table,
/// responses side by side, and what the sweep was made from. The same results give the same bytes, whenever and wherever they are summed up.
/// </summary>
internal static class SweepReport
{
    public static string Html(SweepData data, SweepSummary summary, SweepManifest manifest)
    {
        var html = new StringBuilder();
        html.Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        html.Append("<link rel=\"icon\" href=\"data:,\"><title>Find your λ</title><style>\n").Append(ReportStyle.Css).Append("\n</style></head><body>\n");
        html.Append("<h1>Find your λ</h1>\n");
        html.Append(CultureInfo.InvariantCulture, $"<p class=\"soft\">{summary.Prompts} prompts × {summary.Lambdas.Count} values of λ × {summary.Samples} sample{(summary.Samples == 1 ? "" : "s")}. λ = 0 is the reference, λ = 1 the aligned model. Intervals: {summary.Confidence:0.#%}, paired bootstrap over prompts, {summary.BootstrapResamples} resamples.</p>\n");
        foreach (Recommendation recommendation in summary.Recommendations)
        {
            string title = recommendation.Lambda is { } lambda ? $"λ = {LinePlot.Number(lambda)}" : "No λ";
            html.Append(CultureInfo.InvariantCulture, $"<div class=\"pick\"><strong>{title}</strong><span class=\"soft\">by {Escape(recommendation.Reward)}</span><p>{Escape(recommendation.Verdict)}</p><p class=\"soft\">Rule: {Escape(recommendation.Rule)}.</p></div>\n");
        }

        foreach (string warning in summary.Warnings)
        {
            html.Append(CultureInfo.InvariantCulture, $"<div class=\"warn\">{Escape(warning)}</div>\n");
        }

        foreach (Recommendation recommendation in summary.Recommendations)
        {
            html.Append(CultureInfo.InvariantCulture, $"<h2>{Escape(recommendation.Reward)}</h2>\n<div class=\"plots\">\n");
            SweepPlots.AppendReward(html, summary, recommendation);
            html.Append("</div>\n");
            ReportTables.AppendFigures(html, summary, recommendation);
        }

        html.Append("<h2>What λ does to the responses</h2>\n<div class=\"plots three\">\n");
        SweepPlots.AppendResponses(html, summary);
        html.Append("</div>\n");
        ReportTables.AppendSamples(html, data, summary);
        ReportTables.AppendOrigin(html, manifest);
        return html.Append("</body></html>\n").ToString();
    }

    private static string Escape(string text) => LinePlot.Escape(text);
}

namespace DeRa.Evaluation;

/// <summary>Writes what a finished sweep is summed up in: summary.json, summary.csv, summary.parquet, report.html.</summary>
public static class SweepReports
{
    /// <summary>Reads the results of a folder, sums them up and writes every summary into it.</summary>
    /// <returns>The summary.</returns>
    public static async Task<SweepSummary> WriteAsync(SweepFolder folder, SweepManifest manifest, AnalysisOptions options)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(manifest);
        SweepData data = SweepData.Load(ResultLog.Read(folder.Results), manifest.Lambdas, manifest.Samples, manifest.Rewards);
        SweepSummary summary = SweepAnalysis.Summarise(data, options);
        IReadOnlyList<SummaryRow> rows = SummaryRow.Of(summary);
        folder.Write("summary.json", EvaluationJson.Document(summary));
        folder.Write("summary.csv", SummaryRow.Csv(rows));
        folder.Write("report.html", SweepReport.Html(data, summary, manifest));
        folder.Write("summary.parquet", await SummaryParquet.WriteAsync(rows).ConfigureAwait(false));
        return summary;
    }
}

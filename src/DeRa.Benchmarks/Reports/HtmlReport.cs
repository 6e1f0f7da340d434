using System.Net;
using System.Text;

namespace DeRa.Benchmarks;

/// <summary>
/// One self-contained page, no scripts and nothing to fetch: per workload a plot (time against floor where there is one), a roofline and a table with every
/// figure. Follows the reader's light or dark setting.
/// </summary>
public static class HtmlReport
{
    private const string Style =
        """
        :root { color-scheme: light dark; --back: #fff; --text: #1c1e21; --soft: #6a7078; --line: #d9dce0;
          --single: #8a929c; --naive: #c9671b; --fused: #1f6fb8; --fused-shared-head: #2a8a57; --pair: #1f6fb8; --openblas: #8457b3; }
        @media (prefers-color-scheme: dark) { :root { --back: #15171a; --text: #e4e6e9; --soft: #9aa1aa; --line: #363a40;
          --single: #8a929c; --naive: #e8924f; --fused: #62a8e5; --fused-shared-head: #5cc08b; --pair: #62a8e5; --openblas: #b391db; } }
        body { background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; } p { color: var(--soft); max-width: 60rem; }
        svg { width: 100%; height: auto; } svg text { fill: var(--text); font: 12px system-ui, sans-serif; } svg .soft { fill: var(--soft); }
        .table { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
        th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
        th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; }
        """;

    /// <summary>Writes the page.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="report">What was measured.</param>
    public static void Write(TextWriter writer, BenchReport report)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(report);
        writer.WriteLine("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">");
        writer.WriteLine($"<title>dera bench: {Text(report.Model)}</title><style>{Style}</style></head><body>");
        writer.WriteLine($"<h1>dera bench: {Text(report.Model)} on {Text(report.Device)}</h1>");
        if (report.Ceilings is { } ceilings)
        {
            writer.WriteLine($"<p>Ceilings ({Text(ceilings.Method)}): {Text(Figures.Rate(ceilings.ReadBytesPerSecond, "B/s"))} read, {Text(Figures.Rate(ceilings.FlopsPerSecond, "FLOP/s"))}.</p>");
        }

        if (report.Cases.Count > 0)
        {
            writer.WriteLine("<p>Bars are medians, whiskers the fastest and slowest repeat, ticks the floor: the least time in which the device could move the bytes and compute the operations of the task. Each case has a scale of its own. Below, each workload's roofline: a point on the line does all that the device can at its operations per byte.</p>");
        }

        foreach (var workload in report.Cases.GroupBy(measurements => measurements[0].Workload))
        {
            Measurement[] measurements = [.. workload.SelectMany(list => list)];
            writer.WriteLine($"<h2>{Text(workload.Key)}</h2>");
            writer.WriteLine(BarPlot.Svg("time against floor", [.. workload.Select(list => new BarGroup(list[0].CaseLabel, [.. list.Select(BarOf)]))]));
            foreach (string conclusion in FigureTable.Conclusions(measurements))
            {
                writer.WriteLine($"<p>{Text(conclusion)}.</p>");
            }

            writer.WriteLine(RooflinePlot.Svg([.. workload]));
            writer.WriteLine(TableOf(FigureTable.Titles, measurements.Select(FigureTable.Cells)));
        }

        if (report.Serve.Count > 0)
        {
            writer.WriteLine("<h2>serve</h2>");
            writer.WriteLine(BarPlot.Svg("an engine under load", ServeTable.Bars(report.Serve)));
            writer.WriteLine(TableOf(ServeTable.Titles, report.Serve.Select(ServeTable.Cells)));
        }

        if (report.Speculate.Count > 0)
        {
            writer.WriteLine($"<h2>speculate</h2><p>{Text(report.Speculate[0].Model)}. Bars are medians, whiskers the fastest and slowest run.</p>");
            writer.WriteLine(BarPlot.Svg("time with and without speculation", SpeculateTable.Bars(report.Speculate)));
            writer.WriteLine(TableOf(SpeculateTable.Titles, report.Speculate.Select(SpeculateTable.Cells)));
        }

        writer.WriteLine("</body></html>");
    }

    private static Bar BarOf(Measurement m)
    {
        string share = m.ShareOfFloor is { } of ? $", floor at {Figures.Percent(of)}" : "";
        string gain = m.Fusion is { } fusion ? $", {Figures.Gain(fusion)}" : "";
        return new Bar(m.Way, m.Mode.Label(), m.MedianSeconds, m.MinSeconds, m.MaxSeconds, m.FloorSeconds, Figures.Time(m.MedianSeconds) + share + gain);
    }

    private static string TableOf(IReadOnlyList<string> titles, IEnumerable<IReadOnlyList<string>> rows)
    {
        var html = new StringBuilder("<div class=\"table\"><table><tr>").AppendJoin("", titles.Select(title => $"<th>{Text(title)}</th>")).Append("</tr>");
        foreach (IReadOnlyList<string> cells in rows)
        {
            html.Append("<tr>").AppendJoin("", cells.Select(cell => $"<td>{Text(cell)}</td>")).Append("</tr>");
        }

        return html.Append("</table></div>").ToString();
    }

    private static string Text(string value) => WebUtility.HtmlEncode(value);
}

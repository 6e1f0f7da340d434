using System.Globalization;
using System.Net;
using System.Text;

namespace DeRa.Benchmarks;

/// <summary>
/// One self-contained page, no scripts and nothing to fetch: per workload a plot of time against floor, a roofline and a table with every figure. Follows the
/// reader's light or dark setting.
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
    /// <param name="ceilings">The device's ceilings.</param>
    /// <param name="device">The device in words.</param>
    /// <param name="cases">Measurements, a list per case.</param>
    public static void Write(TextWriter writer, DeviceCeilings ceilings, string device, IReadOnlyList<IReadOnlyList<Measurement>> cases)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(ceilings);
        ArgumentNullException.ThrowIfNull(cases);
        string model = cases.Count > 0 ? cases[0][0].Model : "";
        writer.WriteLine("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">");
        writer.WriteLine($"<title>dera bench: {Text(model)}</title><style>{Style}</style></head><body>");
        writer.WriteLine($"<h1>dera bench: {Text(model)} on {Text(device)}</h1>");
        writer.WriteLine($"<p>Ceilings ({Text(ceilings.Method)}): {Text(Figures.Rate(ceilings.ReadBytesPerSecond, "B/s"))} read, {Text(Figures.Rate(ceilings.FlopsPerSecond, "FLOP/s"))}.</p>");
        writer.WriteLine("<p>Bars are medians, whiskers the fastest and slowest repeat, ticks the floor: the least time in which the device could move the bytes and compute the operations of the task. Each case has a scale of its own. Below, each workload's roofline: a point on the line does all that the device can at its operations per byte.</p>");
        foreach (var workload in cases.GroupBy(measurements => measurements[0].Workload))
        {
            writer.WriteLine($"<h2>{Text(workload.Key)}</h2>");
            writer.WriteLine(Plot([.. workload]));
            foreach (string conclusion in FigureTable.Conclusions([.. workload.SelectMany(measurements => measurements)]))
            {
                writer.WriteLine($"<p>{Text(conclusion)}.</p>");
            }

            writer.WriteLine(RooflinePlot.Svg([.. workload]));
            writer.WriteLine(TableOf([.. workload]));
        }

        writer.WriteLine("</body></html>");
    }

    private static string Plot(IReadOnlyList<IReadOnlyList<Measurement>> cases)
    {
        const int Left = 200, Width = 410, Row = 18, Gap = 26;
        int height = cases.Sum(measurements => (measurements.Count * Row) + Gap);
        var svg = new StringBuilder($"<svg viewBox=\"0 0 1000 {height}\" role=\"img\" aria-label=\"time against floor\">");
        int y = 0;
        foreach (IReadOnlyList<Measurement> measurements in cases)
        {
            double scale = Width / measurements.Max(measurement => measurement.MaxSeconds);
            svg.Append(Line($"<text x=\"0\" y=\"{y + 16}\" class=\"soft\">{Text(measurements[0].CaseLabel)}</text>"));
            y += Gap - 4;
            foreach (Measurement m in measurements)
            {
                string mode = m.Mode.Label(), way = m.Way;
                double middle = y + (Row / 2.0);
                svg.Append(Line($"<text x=\"{Left - 10}\" y=\"{middle + 4}\" text-anchor=\"end\">{Text(way)}</text>"));
                svg.Append(Line($"<rect x=\"{Left}\" y=\"{y + 3}\" width=\"{m.MedianSeconds * scale:F1}\" height=\"{Row - 6}\" fill=\"var(--{mode})\"/>"));
                svg.Append(Line($"<path d=\"M{Left + (m.MinSeconds * scale):F1} {middle} H{Left + (m.MaxSeconds * scale):F1}\" stroke=\"var(--text)\"/>"));
                if (m.FloorSeconds is { } floor)
                {
                    svg.Append(Line($"<path d=\"M{Left + (floor * scale):F1} {y} v{Row}\" stroke=\"var(--text)\" stroke-width=\"2\"/>"));
                }

                string share = m.ShareOfFloor is { } of ? $", floor at {Figures.Percent(of)}" : "";
                string gain = m.Fusion is { } fusion ? $", {Figures.Gain(fusion)}" : "";
                svg.Append(Line($"<text x=\"{Left + Width + 12}\" y=\"{middle + 4}\" class=\"soft\">{Text(Figures.Time(m.MedianSeconds) + share + gain)}</text>"));
                y += Row;
            }

            y += 4;
        }

        return svg.Append("</svg>").ToString();
    }

    private static string TableOf(IReadOnlyList<IReadOnlyList<Measurement>> cases)
    {
        var html = new StringBuilder("<div class=\"table\"><table><tr>");
        foreach (string title in FigureTable.Titles)
        {
            html.Append(Line($"<th>{Text(title)}</th>"));
        }

        html.Append("</tr>");
        foreach (Measurement measurement in cases.SelectMany(measurements => measurements))
        {
            html.Append("<tr>");
            foreach (string cell in FigureTable.Cells(measurement))
            {
                html.Append(Line($"<td>{Text(cell)}</td>"));
            }

            html.Append("</tr>");
        }

        return html.Append("</table></div>").ToString();
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Text(string value) => WebUtility.HtmlEncode(value);
}

using System.Globalization;
using System.Net;
using System.Text;

namespace DeRa.Benchmarks;

/// <summary>
/// A workload's roofline (Williams, Waterman and Patterson, 2009) as SVG: operations per second over operations per byte, both axes logarithmic, under
/// the lower of bandwidth × intensity and the FMA peak. Cases are numbered; modes have the colours of the bars.
/// </summary>
internal static class RooflinePlot
{
    private const int Left = 110, Top = 14, Width = 500, Height = 260, LegendX = 640, LegendRow = 16;

    /// <summary>The plot; empty where a device has no ceilings or the workload has no operations.</summary>
    public static string Svg(IReadOnlyList<IReadOnlyList<Measurement>> cases)
    {
        Measurement[] points = [.. cases.SelectMany(list => list).Where(m => m.Bytes > 0 && m.Flops > 0 && m.FloorSeconds is not null)];
        if (points.Length == 0)
        {
            return "";
        }

        // The best that the device did before any of the cases.
        double bandwidth = points.Max(m => m.Ceilings.ReadBytesPerSecond!.Value), peak = points.Max(m => m.Ceilings.FlopsPerSecond!.Value), ridge = peak / bandwidth;
        var x = new Axis(
            Math.Min(points.Min(Intensity), ridge) / 2, Math.Max(points.Max(Intensity), ridge) * 2, Left, Left + Width);
        var y = new Axis(points.Min(m => m.FlopsPerSecond!.Value) / 2, Math.Max(peak, points.Max(m => m.FlopsPerSecond!.Value)) * 1.6, Top + Height, Top);
        int height = Math.Max(Top + Height + 44, Top + 10 + (LegendRow * cases.Count));
        var svg = new StringBuilder(Line($"<svg viewBox=\"0 0 1000 {height}\" role=\"img\" aria-label=\"roofline\">"));
        AppendAxes(svg, x, y);
        double corner = Math.Max(x.Least, y.Least / bandwidth);
        svg.Append(Line($"<path d=\"M{x.At(corner):F1} {y.At(corner * bandwidth):F1} L{x.At(ridge):F1} {y.At(peak):F1} H{Left + Width}\" fill=\"none\" stroke=\"var(--text)\" stroke-width=\"1.5\"/>"));
        svg.Append(Line($"<text x=\"{Left + Width}\" y=\"{y.At(peak) - 6:F1}\" text-anchor=\"end\">{Text(Figures.Rate(peak, "FLOP/s"))}</text>"));
        svg.Append(Line($"<text x=\"{x.At(corner) + 24:F1}\" y=\"{y.At(corner * bandwidth) + 10:F1}\">{Text(Figures.Rate(bandwidth, "B/s"))}</text>"));
        for (int i = 0; i < cases.Count; i++)
        {
            AppendCase(svg, x, y, i + 1, [.. cases[i].Where(points.Contains)]);
            svg.Append(Line($"<text x=\"{LegendX}\" y=\"{Top + 14 + (LegendRow * i)}\" class=\"soft\">{i + 1}  {Text(cases[i][0].CaseLabel)}</text>"));
        }

        return svg.Append("</svg>").ToString();
    }

    private static void AppendCase(StringBuilder svg, Axis x, Axis y, int number, Measurement[] ways)
    {
        foreach (Measurement m in ways)
        {
            string mode = m.Mode.Label();
            svg.Append(Line($"<circle cx=\"{x.At(Intensity(m)):F1}\" cy=\"{y.At(m.FlopsPerSecond!.Value):F1}\" r=\"4\" fill=\"var(--{mode})\"><title>{Text($"{m.CaseLabel}, {m.Way}: {Figures.Rate(m.FlopsPerSecond, "FLOP/s")}")}</title></circle>"));
        }

        // One number a case, beside its rightmost point.
        if (ways.MaxBy(Intensity) is { } last)
        {
            svg.Append(Line($"<text x=\"{x.At(Intensity(last)) + 7:F1}\" y=\"{y.At(last.FlopsPerSecond!.Value) + 4:F1}\" class=\"soft\">{number}</text>"));
        }
    }

    private static void AppendAxes(StringBuilder svg, Axis x, Axis y)
    {
        foreach (double tick in x.Ticks())
        {
            svg.Append(Line($"<path d=\"M{x.At(tick):F1} {Top} V{Top + Height}\" stroke=\"var(--line)\"/>"));
            svg.Append(Line($"<text x=\"{x.At(tick):F1}\" y=\"{Top + Height + 16}\" text-anchor=\"middle\" class=\"soft\">{Text(tick.ToString("G4", CultureInfo.InvariantCulture))}</text>"));
        }

        foreach (double tick in y.Ticks())
        {
            svg.Append(Line($"<path d=\"M{Left} {y.At(tick):F1} H{Left + Width}\" stroke=\"var(--line)\"/>"));
            svg.Append(Line($"<text x=\"{Left - 8}\" y=\"{y.At(tick) + 4:F1}\" text-anchor=\"end\" class=\"soft\">{Text(Figures.Rate(tick, "FLOP/s").Replace(".00", "", StringComparison.Ordinal).Replace(".0", "", StringComparison.Ordinal))}</text>"));
        }

        svg.Append(Line($"<text x=\"{Left + (Width / 2)}\" y=\"{Top + Height + 34}\" text-anchor=\"middle\" class=\"soft\">operations per byte</text>"));
    }

    private static double Intensity(Measurement m) => (double)m.Flops!.Value / m.Bytes!.Value;

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Text(string value) => WebUtility.HtmlEncode(value);

    /// <summary>A logarithmic axis between two ends on the page.</summary>
    private readonly record struct Axis(double Least, double Most, double From, double To)
    {
        public double At(double value) => From + ((To - From) * Math.Log(value / Least) / Math.Log(Most / Least));

        /// <summary>Powers of ten, and where they are few their 2 and 5 fold as well.</summary>
        public IEnumerable<double> Ticks()
        {
            double[] steps = Math.Log10(Most / Least) < 2 ? [1, 2, 5] : [1];
            (double least, double most) = (Least, Most);
            return
                from power in Enumerable.Range((int)Math.Floor(Math.Log10(Least)), (int)Math.Ceiling(Math.Log10(Most / Least)) + 2)
                from step in steps
                let tick = step * Math.Pow(10, power)
                where tick >= least && tick <= most
                select tick;
        }
    }
}

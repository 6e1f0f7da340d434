using System.Globalization;
using System.Security;
using System.Text;

namespace DeRa.PairTrainer.Figures;

/// <summary>A point of a plot with an optional interval in y.</summary>
internal readonly record struct PlotPoint(double X, double Y, double Low, double High);

/// <summary>A curve of a plot.</summary>
/// <param name="Name">In the legend.</param>
/// <param name="Points">In the order they are joined.</param>
/// <param name="Joined">Whether a line joins them; else marks only.</param>
internal sealed record PlotCurve(string Name, PlotPoint[] Points, bool Joined);

/// <summary>Writes a line plot as SVG: the same curves give the same bytes. Colours follow the reader's light or dark theme.</summary>
internal sealed class LinePlot(string title, string xLabel, string yLabel)
{
    private readonly string title = Escape(title), xLabel = Escape(xLabel), yLabel = Escape(yLabel);

    private const int Width = 640, Height = 400, Left = 64, Right = 16, Top = 40, Bottom = 48;
    private const int Ticks = 6;

    private static readonly string[] Colours = ["#2f7ed8", "#d9722b", "#3a9a5b", "#a05bc0", "#c23b55", "#7a7a7a"];

    /// <summary>Renders the plot.</summary>
    public string Render(IReadOnlyList<PlotCurve> curves)
    {
        PlotPoint[] all = [.. curves.SelectMany(c => c.Points)];
        Axis x = Axis.Over(all.Min(p => p.X), all.Max(p => p.X), Ticks), y = Axis.Over(all.Min(p => p.Low), all.Max(p => p.High), Ticks);
        StringBuilder svg = new();
        svg.Append(Invariant($"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" role="img" aria-label="{title}" font-family="sans-serif" font-size="12">
            <style>.ink{"{"}fill:#222{"}"}.grid{"{"}stroke:#ddd{"}"}.back{"{"}fill:#fff{"}"}@media(prefers-color-scheme:dark){"{"}.ink{"{"}fill:#ddd{"}"}.grid{"{"}stroke:#444{"}"}.back{"{"}fill:#161616{"}}"}</style>
            <rect class="back" width="{Width}" height="{Height}"/>
            <text class="ink" x="{Left}" y="20" font-size="14">{title}</text>

            """));
        foreach (double tick in x.Ticks)
            svg.Append(Invariant($"<line class=\"grid\" x1=\"{X(x, tick):F1}\" y1=\"{Top}\" x2=\"{X(x, tick):F1}\" y2=\"{Height - Bottom}\"/><text class=\"ink\" x=\"{X(x, tick):F1}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{x.Label(tick)}</text>\n"));
        foreach (double tick in y.Ticks)
            svg.Append(Invariant($"<line class=\"grid\" x1=\"{Left}\" y1=\"{Y(y, tick):F1}\" x2=\"{Width - Right}\" y2=\"{Y(y, tick):F1}\"/><text class=\"ink\" x=\"{Left - 6}\" y=\"{Y(y, tick) + 4:F1}\" text-anchor=\"end\">{y.Label(tick)}</text>\n"));
        svg.Append(Invariant($"<text class=\"ink\" x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 10}\" text-anchor=\"middle\">{xLabel}</text>\n"));
        svg.Append(Invariant($"<text class=\"ink\" x=\"14\" y=\"{(Top + Height - Bottom) / 2}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {(Top + Height - Bottom) / 2})\">{yLabel}</text>\n"));
        for (int c = 0; c < curves.Count; c++)
            AppendCurve(svg, curves[c], Colours[c % Colours.Length], x, y);
        AppendLegend(svg, curves);
        return svg.Append("</svg>\n").ToString();
    }

    private static void AppendCurve(StringBuilder svg, PlotCurve curve, string colour, Axis x, Axis y)
    {
        if (curve.Joined)
            svg.Append(Invariant($"<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{string.Join(' ', curve.Points.Select(p => Invariant($"{X(x, p.X):F1},{Y(y, p.Y):F1}")))}\"/>\n"));
        foreach (PlotPoint p in curve.Points)
        {
            if (p.High > p.Low)
                svg.Append(Invariant($"<line stroke=\"{colour}\" x1=\"{X(x, p.X):F1}\" y1=\"{Y(y, p.Low):F1}\" x2=\"{X(x, p.X):F1}\" y2=\"{Y(y, p.High):F1}\"/>"));
            svg.Append(Invariant($"<circle fill=\"{colour}\" cx=\"{X(x, p.X):F1}\" cy=\"{Y(y, p.Y):F1}\" r=\"{(curve.Joined ? 2.5 : 4)}\"/>\n"));
        }
    }

    private static void AppendLegend(StringBuilder svg, IReadOnlyList<PlotCurve> curves)
    {
        int x = Left;
        for (int c = 0; c < curves.Count; c++)
        {
            svg.Append(Invariant($"<circle fill=\"{Colours[c % Colours.Length]}\" cx=\"{x + 5}\" cy=\"31\" r=\"4\"/><text class=\"ink\" x=\"{x + 13}\" y=\"35\">{Escape(curves[c].Name)}</text>\n"));
            x += 28 + (7 * curves[c].Name.Length);
        }
    }

    private static double X(Axis axis, double value) => Left + axis.Share(value) * (Width - Left - Right);

    private static double Y(Axis axis, double value) => Height - Bottom - axis.Share(value) * (Height - Top - Bottom);

    private static string Escape(string text) => SecurityElement.Escape(text)!;

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>A range with round ticks: 1, 2 or 5 times a power of ten apart.</summary>
    private sealed record Axis(double Low, double High, double Step)
    {
        public IEnumerable<double> Ticks => Enumerable.Range(0, (int)Math.Round((High - Low) / Step) + 1).Select(i => Low + i * Step);

        public static Axis Over(double low, double high, int ticks)
        {
            double rough = Math.Max(high - low, 1e-9) / ticks, power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
            double step = power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
            return new Axis(Math.Floor(low / step + 1e-9) * step, Math.Ceiling(high / step - 1e-9) * step, step);
        }

        public double Share(double value) => (value - Low) / (High - Low);

        public string Label(double tick) =>
            (Math.Abs(tick) < Step / 2 ? 0 : tick).ToString("F" + Math.Max(0, (int)Math.Ceiling(-Math.Log10(Step) - 1e-9)), CultureInfo.InvariantCulture);
    }
}

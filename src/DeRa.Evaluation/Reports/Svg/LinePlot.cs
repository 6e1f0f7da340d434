using System.Globalization;
using System.Net;
using System.Text;

namespace DeRa.Evaluation;

/// <summary>A point of a plot: a value with its interval; either interval may be missing.</summary>
/// <param name="Label">Shown when pointed at.</param>
/// <param name="X">Horizontal value.</param>
/// <param name="Y">Vertical value.</param>
/// <param name="YLow">Lower end of the vertical interval.</param>
/// <param name="YHigh">Upper end of it.</param>
/// <param name="XLow">Lower end of the horizontal interval.</param>
/// <param name="XHigh">Upper end of it.</param>
/// <param name="Marked">Whether to draw it as the recommended one.</param>
internal readonly record struct PlotPoint(
    string Label, double X, double Y, double? YLow = null, double? YHigh = null, double? XLow = null, double? XHigh = null, bool Marked = false);

/// <summary>
/// A plot of points joined by a line, with a band or bars for intervals: deterministic SVG, numbers rounded to a tenth of a pixel, colours from the
/// page's style.
/// </summary>
internal sealed class LinePlot
{
    private const int Width = 460, Height = 300, Left = 58, Right = 14, Top = 12, Bottom = 46;

    /// <summary>What the horizontal axis is.</summary>
    public required string XTitle { get; init; }

    /// <summary>What the vertical axis is.</summary>
    public required string YTitle { get; init; }

    /// <summary>What the plot shows, for those who do not see it.</summary>
    public required string Description { get; init; }

    /// <summary>The points, in the order they are joined.</summary>
    public required IReadOnlyList<PlotPoint> Points { get; init; }

    /// <summary>Horizontal ticks; null takes round ones.</summary>
    public IReadOnlyList<double>? XTicks { get; init; }

    /// <summary>A value to draw a line at; null draws none.</summary>
    public double? YLine { get; init; }

    /// <summary>Whether each point carries its label, as along a frontier.</summary>
    public bool Labelled { get; init; }

    /// <summary>The colour's class.</summary>
    public string Colour { get; init; } = "a";

    /// <summary>The plot as an svg element.</summary>
    public string Render()
    {
        Scale x = XTicks is { } ticks
            ? Scale.At(ticks, Left, Width - Right)
            : Scale.Over(Points.Min(p => p.XLow ?? p.X), Points.Max(p => p.XHigh ?? p.X), Left, Width - Right);
        double low = Points.Min(p => Math.Min(p.Y, p.YLow ?? p.Y)), high = Points.Max(p => Math.Max(p.Y, p.YHigh ?? p.Y));
        Scale y = Scale.Over(Math.Min(low, YLine ?? low), Math.Max(high, YLine ?? high), Height - Bottom, Top);

        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Escape(Description)}\" class=\"plot {Colour}\">");
        DrawAxes(svg, x, y);
        if (YLine is { } line)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<path class=\"level\" d=\"M{Left} {At(y.Pixel(line))}H{Width - Right}\"/>");
        }

        if (!Labelled && Points.Count > 1 && Points.All(p => p.YLow is not null))
        {
            DrawBand(svg, x, y);
        }

        svg.Append("<path class=\"line\" d=\"M").AppendJoin('L', Points.Select(p => $"{At(x.Pixel(p.X))} {At(y.Pixel(p.Y))}")).Append("\"/>");
        foreach (PlotPoint point in Points)
        {
            DrawPoint(svg, point, x, y);
        }

        if (Labelled)
        {
            DrawNames(svg, x, y);
        }

        return svg.Append("</svg>").ToString();
    }

    /// <summary>A figure as people read it: four digits at most.</summary>
    public static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    /// <summary>Text as HTML.</summary>
    public static string Escape(string text) => WebUtility.HtmlEncode(text);

    private void DrawAxes(StringBuilder svg, Scale x, Scale y)
    {
        foreach (double tick in y.Ticks)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<path class=\"grid\" d=\"M{Left} {At(y.Pixel(tick))}H{Width - Right}\"/><text class=\"tick\" x=\"{Left - 7}\" y=\"{At(y.Pixel(tick) + 4)}\" text-anchor=\"end\">{Number(tick)}</text>");
        }

        foreach (double tick in x.Ticks)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<path class=\"grid\" d=\"M{At(x.Pixel(tick))} {Top}V{Height - Bottom}\"/><text class=\"tick\" x=\"{At(x.Pixel(tick))}\" y=\"{Height - Bottom + 17}\" text-anchor=\"middle\">{Number(tick)}</text>");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"title\" x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 8}\" text-anchor=\"middle\">{Escape(XTitle)}</text>");
        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"title\" transform=\"translate(13 {(Top + Height - Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\">{Escape(YTitle)}</text>");
    }

    private void DrawBand(StringBuilder svg, Scale x, Scale y)
    {
        IEnumerable<string> above = Points.Select(p => $"{At(x.Pixel(p.X))} {At(y.Pixel(p.YHigh!.Value))}");
        IEnumerable<string> below = Points.Reverse().Select(p => $"{At(x.Pixel(p.X))} {At(y.Pixel(p.YLow!.Value))}");
        svg.Append("<path class=\"band\" d=\"M").AppendJoin('L', above.Concat(below)).Append("Z\"/>");
    }

    private static void DrawPoint(StringBuilder svg, PlotPoint point, Scale x, Scale y)
    {
        string px = At(x.Pixel(point.X)), py = At(y.Pixel(point.Y));
        svg.Append(CultureInfo.InvariantCulture, $"<g><title>{Escape(point.Label)}</title>");
        if (point is { YLow: { } low, YHigh: { } high })
        {
            svg.Append(CultureInfo.InvariantCulture, $"<path class=\"bar\" d=\"M{px} {At(y.Pixel(low))}V{At(y.Pixel(high))}\"/>");
        }

        if (point is { XLow: { } left, XHigh: { } right })
        {
            svg.Append(CultureInfo.InvariantCulture, $"<path class=\"bar\" d=\"M{At(x.Pixel(left))} {py}H{At(x.Pixel(right))}\"/>");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<circle class=\"dot\" cx=\"{px}\" cy=\"{py}\" r=\"3.5\"/>");
        if (point.Marked)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<circle class=\"ring\" cx=\"{px}\" cy=\"{py}\" r=\"8\"/>");
        }

        svg.Append("</g>");
    }

    /// <summary>Names the points: the recommended one first, then from both ends of the line, as far as names do not run into each other.</summary>
    private void DrawNames(StringBuilder svg, Scale x, Scale y)
    {
        const double Wide = 56, High = 15;
        var taken = new List<(double X, double Y)>();
        foreach (PlotPoint point in Points.OrderByDescending(p => p.Marked).ThenBy(p => p.Y != Points[0].Y && p.Y != Points[^1].Y))
        {
            double left = x.Pixel(point.X) + 9, baseline = y.Pixel(point.Y) + 17; // below a curve that rises and flattens
            if (left + Wide > Width)
            {
                left -= Wide + 18;
            }

            if (baseline > Height - Bottom - 3)
            {
                baseline -= 26;
            }

            if (taken.TrueForAll(other => Math.Abs(other.X - left) > Wide || Math.Abs(other.Y - baseline) > High))
            {
                taken.Add((left, baseline));
                svg.Append(CultureInfo.InvariantCulture, $"<text class=\"name\" x=\"{At(left)}\" y=\"{At(baseline)}\">{Escape(point.Label[..point.Label.IndexOf(':', StringComparison.Ordinal)])}</text>");
            }
        }
    }

    private static string At(double pixel) => Math.Round(pixel, 1, MidpointRounding.AwayFromZero).ToString("0.#", CultureInfo.InvariantCulture);
}

using System.Globalization;
using System.Net;
using System.Text;

namespace DeRa.Benchmarks;

/// <summary>Horizontal bars in groups as SVG, each group with a scale of its own.</summary>
internal static class BarPlot
{
    private const int Left = 200, Width = 410, Row = 18, Gap = 26;

    /// <summary>The plot.</summary>
    /// <param name="label">What it shows, for those who do not see it.</param>
    /// <param name="groups">Groups from top to bottom, none of them empty.</param>
    public static string Svg(string label, IReadOnlyList<BarGroup> groups)
    {
        int height = groups.Sum(group => (group.Bars.Count * Row) + Gap);
        var svg = new StringBuilder(Line($"<svg viewBox=\"0 0 1000 {height}\" role=\"img\" aria-label=\"{Text(label)}\">"));
        int y = 0;
        foreach (BarGroup group in groups)
        {
            double scale = Width / group.Bars.Max(bar => Math.Max(bar.Value, bar.Most));
            svg.Append(Line($"<text x=\"0\" y=\"{y + 16}\" class=\"soft\">{Text(group.Title)}</text>"));
            y += Gap - 4;
            foreach (Bar bar in group.Bars)
            {
                double middle = y + (Row / 2.0);
                svg.Append(Line($"<text x=\"{Left - 10}\" y=\"{middle + 4}\" text-anchor=\"end\">{Text(bar.Name)}</text>"));
                svg.Append(Line($"<rect x=\"{Left}\" y=\"{y + 3}\" width=\"{bar.Value * scale:F1}\" height=\"{Row - 6}\" fill=\"var(--{bar.Colour})\"/>"));
                if (bar.Most > bar.Least)
                {
                    svg.Append(Line($"<path d=\"M{Left + (bar.Least * scale):F1} {middle} H{Left + (bar.Most * scale):F1}\" stroke=\"var(--text)\"/>"));
                }

                if (bar.Tick is { } tick)
                {
                    svg.Append(Line($"<path d=\"M{Left + (tick * scale):F1} {y} v{Row}\" stroke=\"var(--text)\" stroke-width=\"2\"/>"));
                }

                svg.Append(Line($"<text x=\"{Left + Width + 12}\" y=\"{middle + 4}\" class=\"soft\">{Text(bar.Note)}</text>"));
                y += Row;
            }

            y += 4;
        }

        return svg.Append("</svg>").ToString();
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Text(string value) => WebUtility.HtmlEncode(value);
}

/// <summary>Bars that share a scale.</summary>
/// <param name="Title">Above them.</param>
/// <param name="Bars">From top to bottom.</param>
internal sealed record BarGroup(string Title, IReadOnlyList<Bar> Bars);

/// <summary>A bar.</summary>
/// <param name="Name">Before it.</param>
/// <param name="Colour">Name of a colour of the page.</param>
/// <param name="Value">Its length.</param>
/// <param name="Least">Where a whisker begins.</param>
/// <param name="Most">Where it ends; no whisker where that is the beginning.</param>
/// <param name="Tick">A mark, or null.</param>
/// <param name="Note">Behind it.</param>
internal sealed record Bar(string Name, string Colour, double Value, double Least, double Most, double? Tick, string Note);

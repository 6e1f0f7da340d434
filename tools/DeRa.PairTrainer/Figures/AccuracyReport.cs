using System.Globalization;
using System.Text;
using System.Text.Json;

namespace DeRa.PairTrainer.Figures;

/// <summary>
/// Pairwise accuracy over λ (paper, eq. 14 and Fig. 6): the share of preference pairs whose chosen response has the higher log p_λ per token, from the lines
/// that `dera score` writes for pairs.
/// </summary>
internal sealed class AccuracyReport(string title)
{
    /// <summary>Writes PREFIX.csv and PREFIX.svg.</summary>
    /// <param name="files">NAME=FILE, one per pair of models; all hold the same preference pairs.</param>
    /// <param name="prefix">Place and beginning of the names.</param>
    public void Write(IEnumerable<string> files, string prefix)
    {
        (string Name, (double Lambda, Interval Accuracy)[] Points)[] curves = [.. files.Select(Read)];
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(prefix))!);
        StringBuilder csv = new("series,lambda,accuracy,accuracy_low,accuracy_high\n");
        foreach ((string name, (double Lambda, Interval Accuracy)[] points) in curves)
        {
            foreach ((double lambda, Interval accuracy) in points)
                csv.Append(CultureInfo.InvariantCulture, $"{name},{lambda},{accuracy.Mean:F4},{accuracy.Low:F4},{accuracy.High:F4}\n");
        }

        File.WriteAllText(prefix + ".csv", csv.ToString());
        File.WriteAllText(prefix + ".svg", new LinePlot(title, "λ", "share of pairs ordered as labelled").Render(
            [.. curves.Select(c => new PlotCurve(c.Name, [.. c.Points.Select(p => new PlotPoint(p.Lambda, p.Accuracy.Mean, p.Accuracy.Low, p.Accuracy.High))], true))]));
    }

    private static (string Name, (double Lambda, Interval Accuracy)[] Points) Read(string form)
    {
        string[] parts = form.Split('=', 2);
        if (parts.Length != 2)
            throw new InvalidDataException($"scores: expected NAME=FILE, found '{form}'");
        return (parts[0],
        [
            .. File.ReadLines(parts[1])
                .SelectMany(line => Lambdas(line, parts[1]))
                .GroupBy(p => p.Lambda)
                .OrderBy(g => g.Key)
                .Select(g => (g.Key, Bootstrap.Mean([.. g.Select(p => p.Right)]))),
        ]);
    }

    private static (double Lambda, double Right)[] Lambdas(string line, string file)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        if (!document.RootElement.TryGetProperty("chosen", out _))
            throw new InvalidDataException($"{file}: expected lines of preference pairs");
        return
        [
            .. document.RootElement.GetProperty("lambdas").EnumerateArray().Select(l => (
                double.Parse(l.GetProperty("lambda").GetSingle().ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
                l.GetProperty("prefers_chosen").GetBoolean() ? 1.0 : 0.0)),
        ];
    }
}

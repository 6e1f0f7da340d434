using System.Globalization;
using DeRa.Benchmarks;
using Spectre.Console;

namespace DeRa.Cli.Output;

/// <summary>The results of the speculate workload for people.</summary>
internal static class SpeculateTable
{
    private const int WidthWhenRedirected = 140;

    public static void Write(IReadOnlyList<SpeculateMeasurement> measurements)
    {
        Table table = new Table().Border(TableBorder.Rounded).Title(measurements[0].Model);
        foreach (string title in (string[])["batch", "mode", "median", "spread", "tok/s", "acceptance", "passes/token", "to plain"])
        {
            table.AddColumn(new TableColumn(new Text(title)).NoWrap());
        }

        foreach (SpeculateMeasurement one in measurements)
        {
            string[] cells =
            [
                one.Batch.ToString(CultureInfo.InvariantCulture),
                one.Mode,
                Figures.Time(one.MedianSeconds),
                string.Create(CultureInfo.InvariantCulture, $"± {50 * (one.MaxSeconds - one.MinSeconds) / one.MedianSeconds:F0} %"),
                one.TokensPerSecond.ToString("G4", CultureInfo.InvariantCulture),
                Figures.Percent(one.Acceptance),
                one.PassesPerToken.ToString("F2", CultureInfo.InvariantCulture),
                string.Create(CultureInfo.InvariantCulture, $"{one.Speedup:F2} ×"),
            ];
            table.AddRow(cells.Select(cell => new Text(cell)));
        }

        Terminal.Write(table, WidthWhenRedirected);
    }
}

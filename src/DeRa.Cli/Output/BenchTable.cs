using DeRa.Benchmarks;
using Spectre.Console;

namespace DeRa.Cli.Output;

/// <summary>The results of <c>bench</c> for people: a table per workload, then what they say about fusion.</summary>
internal static class BenchTable
{
    /// <summary>Enough for the longest cells without wrapping.</summary>
    private const int WidthWhenRedirected = 140;

    public static void Write(IReadOnlyList<IReadOnlyList<Measurement>> cases)
    {
        foreach (var workload in cases.GroupBy(measurements => measurements[0].Workload))
        {
            Table table = new Table().Border(TableBorder.Rounded).Title(workload.Key);
            foreach (string title in FigureTable.EssentialTitles)
            {
                table.AddColumn(new TableColumn(new Text(title)).NoWrap());
            }

            Measurement[] measurements = [.. workload.SelectMany(list => list)];
            foreach (Measurement measurement in measurements)
            {
                table.AddRow(FigureTable.EssentialCells(measurement).Select(cell => new Text(cell)));
            }

            Terminal.Write(table, WidthWhenRedirected);
            foreach (string verdict in FigureTable.Conclusions(measurements))
            {
                Console.Out.WriteLine($"{workload.Key}: {verdict}");
            }
        }
    }
}

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
            Measurement[] measurements = [.. workload.SelectMany(list => list)];
            Write(workload.Key, FigureTable.EssentialTitles, measurements.Select(FigureTable.EssentialCells));
            foreach (string verdict in FigureTable.Conclusions(measurements))
            {
                Console.Out.WriteLine($"{workload.Key}: {verdict}");
            }
        }
    }

    public static void Write(IReadOnlyList<ServeMeasurement> cases) => Write("serve", ServeTable.Titles, cases.Select(ServeTable.Cells));

    public static void Write(IReadOnlyList<SpeculateMeasurement> measurements) =>
        Write(measurements[0].Model, SpeculateTable.Titles, measurements.Select(SpeculateTable.Cells));

    private static void Write(string title, IReadOnlyList<string> titles, IEnumerable<IReadOnlyList<string>> rows)
    {
        Table table = new Table().Border(TableBorder.Rounded).Title(title);
        foreach (string column in titles)
        {
            table.AddColumn(new TableColumn(new Text(column)).NoWrap());
        }

        foreach (IReadOnlyList<string> cells in rows)
        {
            table.AddRow(cells.Select(cell => new Text(cell)));
        }

        Terminal.Write(table, WidthWhenRedirected);
    }
}

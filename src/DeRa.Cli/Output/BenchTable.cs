using System.Globalization;
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

    /// <summary>A row per case of the serve workload; times in milliseconds.</summary>
    public static void Write(IReadOnlyList<ServeMeasurement> cases)
    {
        Table table = new Table().Border(TableBorder.Rounded).Title("serve");
        foreach (string title in (string[])["requests", "tok/s", "first token p50", "p90", "p99", "per token p50", "p90", "p99", "whole p50", "p99", "preempted"])
        {
            table.AddColumn(new TableColumn(new Text(title)).NoWrap());
        }

        foreach (ServeMeasurement one in cases)
        {
            string[] cells =
            [
                one.CaseLabel, Number(one.TokensPerSecond), Milliseconds(one.TimeToFirstToken.P50), Milliseconds(one.TimeToFirstToken.P90),
                Milliseconds(one.TimeToFirstToken.P99), Milliseconds(one.TimePerOutputToken.P50), Milliseconds(one.TimePerOutputToken.P90),
                Milliseconds(one.TimePerOutputToken.P99), Milliseconds(one.Latency.P50), Milliseconds(one.Latency.P99), one.Preemptions.ToString(CultureInfo.InvariantCulture),
            ];
            table.AddRow(cells.Select(cell => new Text(cell)));
        }

        Terminal.Write(table, WidthWhenRedirected);
    }

    private static string Number(double value) => value.ToString(value < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);

    private static string Milliseconds(double seconds) => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:0.0} ms");
}

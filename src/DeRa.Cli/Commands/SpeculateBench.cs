using DeRa.Benchmarks;
using DeRa.Cli.CommandLine;
using DeRa.Cli.Output;
using DeRa.Models;

namespace DeRa.Cli.Commands;

/// <summary>The speculate workload of <c>dera bench</c>.</summary>
internal static class SpeculateBench
{
    public const string Workload = "speculate";

    /// <summary>Runs the workload and shows it.</summary>
    /// <param name="where">The device, or two.</param>
    /// <param name="options">What is run.</param>
    /// <param name="createPair">The pair, for its devices and how far apart random models are to be.</param>
    /// <param name="asJson">A JSON line per way and case in place of a table.</param>
    /// <param name="page">Gets what was measured.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task RunAsync(
        DeviceArguments where, SpeculateOptions options, Func<PairDevices, float, PairFolders> createPair, bool asJson, BenchPage page, CancellationToken cancellationToken)
    {
        DeviceNames names;
        PairFolders created;
        string title;
        using (PairDevices devices = where.OpenPair(Note))
        {
            (names, created, title) = (DeviceNames.Of(devices), createPair(devices, options.Noise), BenchCommand.Title(devices, null));
        }

        using PairFolders pair = created;
        var all = new List<SpeculateMeasurement>();
        await foreach (IReadOnlyList<SpeculateMeasurement> measured in SpeculateWorkload.RunAsync(names, pair, options, cancellationToken))
        {
            Note($"{Workload}: batch {measured[0].Batch}");
            all.AddRange(measured);
            if (asJson)
            {
                foreach (SpeculateMeasurement measurement in measured)
                {
                    Json.WriteLine(measurement);
                }
            }
        }

        if (!asJson)
        {
            BenchTable.Write(all);
        }

        page.Add(title, report => report with { Speculate = all });
    }

    private static void Note(string line) => Console.Error.WriteLine(line);
}
